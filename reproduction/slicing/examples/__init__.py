"""Four methods of others in our federation, each a file to copy from; `python -m reproduction.examples` runs all.

    fedprox.py       TensorFlow: FedProx, one more term in the loss
    fedavg_shap.py   TensorFlow: plain FedAvg, scored with SHAP instead of IG
    lagrangian.py    TensorFlow and TFCO: the confidence constraint without a proxy
    numpy_only.py    no framework: the network's gradient and Adam by hand

None of them is in the paper.
"""

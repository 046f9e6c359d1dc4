"""Attribution: what each input feature contributed to a prediction. DeepExplain's stand-in for Keras 3.

Stage "Explainer" of the paper (Sec. III, Algorithm 1): a model and arrays in, arrays out; no federation, no files,
no global state. Four functions share one call shape::

    explain(model, inputs, method="integrated_gradients", baseline=None, target=None, steps=100)

* `explain` returns the attributions a, float32 [n, features];
* `weighted_attributions` returns a / (input - baseline), the paper's Eq. (2);
* `completeness_gap` returns how far the attributions are from adding up to f(input) - f(baseline);
* `explain_layers` returns the relevance (LRP) or contribution (DeepLIFT) of every hidden unit too, and can start from
  any weights over the outputs.

| method                 | options                                     | model           |
|------------------------|---------------------------------------------|-----------------|
| "saliency"             |                                             | TensorFlow      |
| "input_x_gradient"     |                                             | TensorFlow      |
| "integrated_gradients" | `steps=100`, `quadrature="midpoint"`        | TensorFlow      |
| "epsilon_lrp"          | `epsilon=1e-4`, `relative=False`            | chain of layers |
| "deeplift"             |                                             | chain of layers |
| "occlusion"            | `window=1`, `step=1`                        | anything        |
| "shapley_sampling"     | `samples=100`, `seed=0`, `antithetic=False` | anything        |
| "shapley_exact"        |                                             | anything        |

"TensorFlow" is a Keras model or a differentiable TensorFlow function of a tensor float32 [n, features]; "anything" is
also a NumPy function of an array float32 [n, features]; "chain of layers" is a Keras model that `read_chain`
can read, and whatever it cannot read is refused by name.

Sources, in the table's order: Simonyan et al. 2013 (arXiv 1312.6034); Shrikumar et al. 2016 (1605.01713);
Sundararajan et al. 2017 (1703.01365); Bach et al. 2015 (doi 10.1371/journal.pone.0130140); Shrikumar et al. 2017
(1704.02685), the Rescale rule; Zeiler and Fergus 2014 (1311.2901); Castro et al. 2009 (doi 10.1016/j.cor.2008.04.004);
Lundberg and Lee 2017 (1705.07874) with one background sample.

DeepExplain's conventions, unified with its gradients in Ancona et al. 2018 (arXiv 1711.06104), are kept: each module
says which. Where this package departs from DeepExplain:

* leaky ReLU is an activation like any other (DeepExplain lets it through with its gradient), and what LRP or
  DeepLIFT cannot read is an error (DeepExplain warns, or says nothing);
* integrated gradients run from the baseline to the input (some releases of DeepExplain start at zero whatever the
  baseline), by the midpoint rule unless asked otherwise; `quadrature="right"` is DeepExplain's sum;
* occlusion and Shapley sampling take a baseline, and Shapley sampling draws 100 orderings, not 5;
* DeepLIFT's test of z = z0 is relative, and epsilon-LRP's epsilon can be (`relative=True`): DeepExplain's are absolute,
  so that results depend on the scale of the inputs;
* a model with several outputs needs a `target` (DeepExplain adds all outputs up).
"""

from reproduction.attribution.api import METHODS, completeness_gap, explain, explain_layers, weighted_attributions
from reproduction.attribution.layers import read_chain

__all__ = [
    "METHODS",
    "completeness_gap",
    "explain",
    "explain_layers",
    "read_chain",
    "weighted_attributions",
]

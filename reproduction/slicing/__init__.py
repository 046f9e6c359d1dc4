"""The slicing wing: Roy, Chergui and Verikoukis' explanation-guided federated learning, and what is said of it."""

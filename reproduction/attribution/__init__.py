"""Attribution: what each input feature contributed to a prediction. DeepExplain's stand-in for Keras 3.

Stage "Explainer" of the paper (Sec. III, Algorithm 1): a model and arrays in, arrays out; no federation, no global
state. What each training sample contributed is `influence.Influence`'s to say. Five functions share one call shape::

    explain(model, inputs, method="integrated_gradients", baseline=None, target=None, steps=100)

* `explain` returns the attributions a, float32 of the inputs' shape;
* `weighted_attributions` returns a / (input - baseline), the paper's Eq. (2);
* `completeness_gap` returns how far the attributions are from adding up to f(input) - f(baseline);
* `explain_layers` returns the relevance (LRP) or contribution (DeepLIFT) of every hidden unit too;
* `explain_with_errors` returns sampled Shapley values with their standard errors.

Inputs are an array [n, ...] of any rank, or a list of them for a model with several inputs; what is explained is one
output, one per sample (`target`), or a weighted sum of all (`start`).

| method                 | options                                       | model      |
|------------------------|-----------------------------------------------|------------|
| "saliency"             |                                               | TensorFlow |
| "input_x_gradient"     |                                               | TensorFlow |
| "integrated_gradients" | `steps=100`, `quadrature="midpoint"`          | TensorFlow |
| "epsilon_lrp"          | `epsilon=1e-4`, `relative=False`              | layers     |
| "deeplift"             |                                               | layers     |
| "occlusion"            | `feature_axes=None`, `window=1`, `step=1`     | anything   |
| "shapley_sampling"     | `feature_axes=None`, `groups=None`, `samples=100`, `seed=0`, `antithetic=False` | anything |
| "shapley_exact"        | `feature_axes=None`, `groups=None`            | anything   |

"TensorFlow" is a Keras model or a differentiable TensorFlow function of tensors float32 [n, ...]; "anything" is
also a NumPy function of arrays float32 [n, ...]; "layers" is a Keras model, Sequential or functional, of linear layers,
max pooling and element-wise activations (see `trials`), and whatever else it holds is refused by name.

Sources, in the table's order: Simonyan et al. 2013 (arXiv 1312.6034); Shrikumar et al. 2016 (1605.01713);
Sundararajan et al. 2017 (1703.01365); Bach et al. 2015 (doi 10.1371/journal.pone.0130140); Shrikumar et al. 2017
(1704.02685), the Rescale rule; Zeiler and Fergus 2014 (1311.2901); Castro et al. 2009 (doi 10.1016/j.cor.2008.04.004);
Lundberg and Lee 2017 (1705.07874) with one background sample.

DeepExplain's conventions, unified with its gradients in Ancona et al. 2018 (arXiv 1711.06104), are kept: each module
says which. Where this package departs from DeepExplain:

* every element-wise activation is passed by the method's rule (DeepExplain knows ReLU, ELU, tanh, sigmoid and softplus,
  and lets others through with their gradient), and what LRP or DeepLIFT cannot pass is an error (DeepExplain warns, or
  says nothing);
* integrated gradients run from the baseline to the input (some releases of DeepExplain start at zero whatever the
  baseline), by the midpoint rule unless asked otherwise; `quadrature="right"` is DeepExplain's sum;
* occlusion and Shapley sampling take a baseline, and Shapley sampling draws 100 orderings, not 5;
* DeepLIFT takes a derivative for the secant only where rounding alone tells them apart, and epsilon-LRP's epsilon can
  be relative (`relative=True`): DeepExplain's bounds are absolute, so that results depend on the scale of the inputs;
* perturbing methods take several inputs (DeepExplain refuses), and features that play together share their value,
  so that attributions have the inputs' shape and add up (DeepExplain's have the groups');
* a model with several outputs needs a `target` or `start` (DeepExplain adds all outputs up).
"""

from reproduction.attribution.api import (
    METHODS,
    completeness_gap,
    explain,
    explain_layers,
    explain_with_errors,
    weighted_attributions,
)

__all__ = [
    "METHODS",
    "completeness_gap",
    "explain",
    "explain_layers",
    "explain_with_errors",
    "weighted_attributions",
]

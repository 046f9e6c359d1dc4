"""Names of selections, and of what fine-tuned networks are held to, as records and figures have them."""

PAPERS = "loss-relative, capacity"
"""The selection that the paper found the most consistent, as its abstract has it."""

PLAIN, CORRECTED = "influence, BCE", "self-influence corrected, BCE"

PRODUCT, COSINE = "gradient product", "gradient cosine"
"""Without curvature."""

NEAREST_SNR, NEAREST_CHANNEL, RANDOM = "nearest SNR", "nearest channel", "random"
"""Without any network; random draws are numbered."""

FRESH = "fresh frames"
"""Not of the training: sent anew under the target's own conditions."""

ASCENT, SECOND_ORDER = "harmful, ascent", "second order"
"""Other updates: up the gradient of the least influences, and along the inverse Hessian of the paper's selection."""

SAME, ALIKE, OTHERS = "same channel", "fresh channels", "other targets"
"""What a network is held to: see `adaptation`."""

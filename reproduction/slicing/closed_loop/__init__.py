"""One closed loop: model, Tester, Explainer, Confidence Mapper and constrained Learner (the paper's Fig. 2)."""

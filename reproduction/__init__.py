"""Explanation-guided federated learning for 6G RAN slicing: a reference reproduction.

Roy, Chergui, Verikoukis, "Towards Bridging the FL Performance-Explainability Trade-Off: A Trustworthy 6G RAN Slicing
Use-Case", IEEE TVT 2024, arXiv 2307.12903.

Data flow one way: data -> client model -> explainer -> confidence -> constrained local training -> federation ->
records -> figures. An import never goes up this list.

    fig4..fig8, table4   what a user types, one script per figure; claims.py checks the paper's claims on their numbers,
                         sensitivity.py what they depend on; compare.py holds a method against ours, reference.py
                         writes the curves for it; report.py: one page;  examples/: four methods of others
    figure_script.py     the switches, cache, drawing and saving that they share
    experiment.py        one function per figure: records -> numbers;  criteria.py: each claim's criterion on them;
                         open_choices.py: what the paper left open, varied;  own_method.py: the door for other methods
    laboratory.py        trains a federation once, stores it, continues it after a stop
    federation/          server.py: Algorithm 1's outer loop, eq. (1);  in_process.py: the worker pool
    closed_loop/         one CL.  client_model.py: the network;  confidence.py: eqs. (2)-(6);
                         proxy_lagrangian.py: eqs. (7)-(11) on TFCO;  local_training.py: Algorithm 1's inner loop;
                         evaluation.py: the global model seen by a CL;  client.py: bytes in, bytes out
    datasets/            generator.py, physics.py, tables.py (anyone's), measurements.py (public sets) -> schema.py
    results/             records.py (on disk), curves.py (tidy, for others), metrics.py, quantities.py, comparison.py,
                         progress.py, run_log.py, plotting.py, page.py
    attribution/         DeepExplain's methods for any model: knows no federation
    settings.py          Table III and what the paper leaves open;  seeds.py: streams of randomness;
                         files.py: whole files or none

The paper's letters, and their names here:

    n, N     slice, number of slices            slice_name, Settings.slices
    k, K     closed loop (CL), number of CLs    client, Settings.clients
    t, T     FL round                           round_number, Settings.rounds
    l, L     local epoch                        number, LocalSettings.epochs
    i, D     sample, samples of a CL            Settings.samples, Client.samples
    j, Q     feature                            features are rows, [Q, n]
    W        weights                            weights, flat float32 [P]
    x, y     input, CPU load [%]                features, target
    y_hat    prediction                         prediction
    a        attribution                        attribution.explain
    alpha    a / x, eq. (2)                     weighted attribution; attribution.sensitivity
    pi       soft attribution, eq. (2)          soft_attributions
    x_hat    mutated input, eq. (3)             mutated
    alpha_n, beta_n  SLA bounds, eq. (4)        SliceSettings.lower_percent, upper_percent
    U        samples inside the SLA, eq. (4)    members
    z_hat    prediction on x_hat, eq. (5)       mutated_prediction
    C        confidence, eq. (6)                confidence
    nu_n     threshold, eq. (7b)                SliceSettings.confidence_threshold
    Phi, Psi constraint, surrogate (7b), (9)    Terms.constraint, Terms.surrogate
    S_mu     logistic, steepness mu, eq. (10)   LocalSettings.steepness_per_percent
    A        column-stochastic matrix           exp(Game.state)
    lambda   multipliers                        multipliers; lambda_0 weighs the MSE
    R_lambda multiplier radius                  LocalSettings.multiplier_radius
    eta      learning rate                      LocalSettings.learning_rate

Importing this package imports no TensorFlow.
"""

__version__ = "0.1.0"

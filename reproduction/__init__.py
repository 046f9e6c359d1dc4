"""Explanation-guided federated learning for 6G RAN slicing: a reference reproduction.

Roy, Chergui, Verikoukis, "Towards Bridging the FL Performance-Explainability Trade-Off: A Trustworthy 6G RAN Slicing
Use-Case", IEEE TVT 2024, arXiv 2307.12903.

One ground, and a wing per system: `slicing`, the paper's; `xrefine`, a channel estimator that relevance prunes;
`receiver`, a neural receiver; and `interference`, a small one whose explanations can be checked. A wing stands on the
ground and knows no other wing; what two of them need lies on the ground and knows none of them. An import never goes up
these lists. Within the paper's wing data flow:
data -> client model -> explainer -> confidence -> constrained local training -> federation -> records -> figures.

    fig4..fig8, table4       what a user types, one script per figure: how it is drawn, and one call
    claims.py, sensitivity.py, regimes.py, compare.py, reference.py, report.py, datasets.py, examples.py, relevance.py:
                             switches, and one call

    slicing/                 the paper
      fig_influence.py       whose samples drive a model out of its SLA
      reporting/             the figures in words and tables, on one page;  script.py: its figures as scripts
      examples/              four methods of others
      regimes/               the forecast held to federations, over many kinds of data
      open_choices/          what the paper left open, varied
      claims.py              the paper's claims;  criteria.py: what each is held to
      comparison/            curves of any method beside ours; method.py: the door for a method in Python
      summary.py             the table that a run ends with
      experiment.py          one function per figure: federations -> numbers;  explanations.py: Fig. 6's
                             influences.py: of training samples
                             controls.py: a constant and least squares beside them
      laboratory.py          trains a federation once, keeps it, continues it;  data_source.py: on which data
      forecast/              how confident an unconstrained model will be, from the data alone
      federation/            server.py: Algorithm 1's outer loop, eq. (1), over a fleet;  in_process.py: a fleet on one
                             machine;  record.py: a federation on disk
      closed_loop/           one CL.  client_model.py: the network;  explainers.py, confidence.py: eqs. (2)-(6);
                             proxy_lagrangian.py: eqs. (7)-(11) on TFCO;  local_training.py: Algorithm 1's inner loop;
                             evaluation.py: the global model seen by a CL;  in_turn.py: several CLs in one compiled
                             call;  client.py: bytes in, bytes out
      documents.py           what a figure saves, field by field;  description.py: that of its runs
      schemes.py             what is compared, with label and look;  metrics.py, plotting.py
      cautions.py            what makes a number mean less than it seems, a line each
      datasets/              generator.py, physics.py, tables.py (anyone's), measurements.py (public sets)
      settings.py            Table III and what the paper leaves open;  figures.py: the list of them

    xrefine/                 the second system: what a channel estimator can do without
      claims.py              what is claimed of it;  refine.py: a network of one's own made smaller
      fig_error_rate.py, fig_trade_off.py, fig_relevance.py, fig_deletion.py, fig_complexity.py
      script.py              a figure of this wing
      study.py               all cases, kept and continued;  experiment.py: from their records to a figure's numbers
      case.py                one case worked through;  criteria.py: what each claim is held to
      bench.py               a case's samples and tests;  choices.py: who keeps what
      settings.py            what is simulated and compared;  chest.py: XAI-CHEST, noise in place of relevance;
                             export.py: for Keras and TensorFlow Lite
      rankings.py            LRP's rivals;  pruning.py: what is kept, and the search for how much
      training.py            Adam in one compiled call;  relevance.py: LRP's;  samples.py: pairs and frames
      network.py, cost.py, classes.py, documents.py

    receiver/                the third system: a neural receiver, DeepRx, and which training frames help where it fails
      claims.py              what is claimed of influence;  adapt.py: a receiver of one's own fine-tuned by it;
                             own_receiver.py: that receiver and its frames
      fig_error_rate.py, fig_adaptation.py, fig_learning.py, fig_beneficial.py, fig_several.py, fig_left_out.py
      script.py              a figure of this wing;  looks.py: how selections look
      influence_study.py     its jobs, kept and continued;  work.py: what each does
      adaptation.py, together.py: fine-tunings for one target, and for several;  left_out.py: trainings without frames
      preparation.py         targets, and the influence of candidates;  selection.py: who selects frames
      fine_tuning.py         gradient steps;  losses.py: of a frame
      study.py               trainings and tests, kept and continued;  experiment.py: from records to a figure's numbers
      case.py                one case worked through;  bench.py: its link, frames, network
      receivers.py           conventional ones, and one that knows the channel;  training.py: Adam, epoch by epoch
      network.py, samples.py, settings.py, names.py, criteria.py, documents.py

    interference/            a detector whose attributions can be checked: script.py;  picture.py: where it looks;
                             study.py: how often that is right;  grids.py: OFDM resource grids with a burst

    claims_script.py         any wing's claims table, from its figures' saved numbers
    jobs_wing.py             a wing whose figures share jobs on simulated data
    figure_script.py         any wing's figure: switches, numbers into JSON, pictures from it, --redraw
    command_line.py          what every command shares: common switches, one clear line when it ends badly
    results/                 records.py, forms.py, store.py: work on disk, by kind, continued;  processes.py: one per
                             core;  progress.py, tensorboard_log.py: watching it;  seed_statistics.py, verdicts.py,
                             words.py: from numbers to text;  plotting.py, page.py: from numbers to pictures and pages
    ofdm/                    a simulated link of IEEE 802.11p.  frame.py;  taps.py, channels.py: fading;  link.py: bits
                             to symbols and back, on Sionna;  estimates.py: of the channel;  error_rate.py: how sure
                             and one over a resource grid.  grid.py;  tdl.py, conditions.py, mixed_channels.py: each
                             frame its own;  grid_estimates.py: linear, LMMSE;  grid_link.py: soft bits
    attribution/             DeepExplain's methods, and relevance of every layer, for any model: knows no federation
      influence.py           which training samples a loss comes from;  inverses.py, curvature.py: of the training loss
      sample_gradients.py    of every sample, from one pass;  batch_sums.py: how they are told apart
    seeds.py                 streams of randomness;  files.py: whole files or none

The paper's letters, and their names here:

    n, N     slice, number of slices            slice_name, Settings.slices
    k, K     closed loop (CL), number of CLs    client, Settings.clients
    t, T     FL round                           round_number, Settings.rounds
    l, L     local epoch                        epoch, LocalSettings.epochs
    i, D     sample, samples of a CL            Settings.samples, Samples.count
    j, Q     feature                            features are rows, [Q, n]
    W        weights                            weights, flat float32 [P]
    x, y     input, CPU load [%]                features, target
    y_hat    prediction                         prediction
    a        attribution                        attribution.explain
    alpha    a / x, eq. (2)                     attribution.weighted_attributions; explainers, compiled
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

__version__ = "0.2.0"

"""Simulated links: frames, fading channels, estimates of them, error rates. Only here is Sionna used.

One is of IEEE 802.11p: `frame`, `taps`, `channels`, `estimates`, `link`. One is over a resource grid like 5G NR's,
where each frame has conditions of its own: `grid`, `tdl`, `conditions`, `mixed_channels`, `grid_estimates`,
`grid_link`.
`link` and `grid_link` need the extra `phy` (Sionna); the others do not.
"""

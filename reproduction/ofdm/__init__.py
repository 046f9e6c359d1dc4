"""A simulated link of IEEE 802.11p: frames, fading channels, estimates of them, error rates. Only here is Sionna used.

`link` needs the extra `phy` (Sionna); `frame`, `taps`, `channels`, `estimates` and `error_rate` do not.
"""

"""What every data set looks like to the rest of the project: slices made of closed loops (paper, Sec. II and Table II).

The generator, a user's tables and the real measurements all end here, so whatever the federation receives has been
checked in one place.
"""

import dataclasses
import hashlib
import numbers
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

Role = Literal["traffic", "channel_quality", "rank", "other"]
"""What a feature measures: an application's traffic, a CQI or MCS, MIMO full-rank usage, or anything else."""

LOWEST_MAXIMUM, HIGHEST_MAXIMUM = 2.0**-149, float(np.finfo(np.float32).max)
"""Between these a feature's maximum is positive and finite as a float32."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One of the Q features that a CL's model reads.

    Attributes:
        name: what plots and reports call it, e.g. `"Netflix"`.
        unit: e.g. `"Mbps"` or `"%"`; empty for an index or once scaled.
        maximum: positive; the feature is scaled as x / maximum, so that 0 stays 0.
        role: what it measures.

    Raises:
        TypeError: `maximum` is not a number.
        ValueError: `maximum` is not positive or not finite as a float32, or `role` is none of `Role`.
    """

    name: str
    unit: str
    maximum: float
    role: Role

    def __post_init__(self) -> None:
        """Check everything that the class promises."""
        where = f"feature {self.name!r}"
        if isinstance(self.maximum, bool) or not isinstance(self.maximum, numbers.Real):
            raise TypeError(f"{where}: maximum must be a number, got {self.maximum!r}")
        if not LOWEST_MAXIMUM <= self.maximum <= HIGHEST_MAXIMUM:
            raise ValueError(f"{where}: maximum must be positive and finite as a float32, got {self.maximum!r}")
        if self.role not in get_args(Role):
            raise ValueError(f"{where}: role must be one of {', '.join(get_args(Role))}, got {self.role!r}")


@dataclass(frozen=True, kw_only=True, eq=False)
class ClientData:
    """The local data of one closed loop (CL), the paper's data set D of CL k.

    Attributes:
        name: the CL's name, unique within its slice.
        train_features: float32 [D, Q], physical units.
        train_target: float32 [D], percent.
        test_features: float32 [D_test, Q], physical units; never trained on.
        test_target: float32 [D_test], percent.
    """

    name: str
    train_features: np.ndarray
    train_target: np.ndarray
    test_features: np.ndarray
    test_target: np.ndarray


@dataclass(frozen=True, kw_only=True, eq=False)
class SliceData:
    """The data of one slice n, spread over its closed loops.

    Attributes:
        name: the slice, e.g. `"eMBB"`.
        features: Q features, one or more, whose names are unique.
        target_name: `"CPU load"`, or what stands in for it, e.g. `"radio-resource load"`.
        target_unit: `"%"`.
        clients: the CLs, one or more, all with the same Q features.
        sla_percent: alpha_n and beta_n, the closed interval of the target that fulfils the SLA; the paper's 0..3 %.
        notes: what was left out while reading and how often, for the record; like `sla_percent` not part of the digest.

    Raises:
        TypeError: an array is not a float32 `numpy.ndarray`.
        ValueError: a shape does not fit, a value is NaN or infinite, a name occurs twice, there is no feature or no
            CL, a CL has fewer than 2 training samples or no test sample, or the SLA's bounds are not in order.
    """

    name: str
    features: tuple[Feature, ...]
    target_name: str
    target_unit: str
    clients: tuple[ClientData, ...]
    sla_percent: tuple[float, float] = (0.0, 3.0)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check everything that the class promises."""
        where = f"slice {self.name!r}"
        if not self.features:
            raise ValueError(f"{where}: features must hold at least one feature, got none")
        _require_unique(self.feature_names, f"{where}: feature names")
        if not self.sla_percent[0] < self.sla_percent[1]:
            raise ValueError(f"{where}: sla_percent must be a lower and a higher bound, got {self.sla_percent}")
        if not self.clients:
            raise ValueError(f"{where}: clients must hold at least one CL, got none")
        _require_unique([client.name for client in self.clients], f"{where}: client names")
        for client in self.clients:
            _check_client(client, len(self.features), f"{where}, client {client.name!r}")

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Q names, e.g. `("Netflix", "YouTube", "Facebook Video", "CQI", "MIMO full-rank")`."""
        return tuple(feature.name for feature in self.features)

    @property
    def feature_units(self) -> tuple[str, ...]:
        """Q units, e.g. `("Mbps", "Mbps", "Mbps", "", "%")`."""
        return tuple(feature.unit for feature in self.features)

    @property
    def feature_maxima(self) -> np.ndarray:
        """float32 [Q], what the features are divided by."""
        return np.array([feature.maximum for feature in self.features], dtype=np.float32)

    @property
    def training_samples(self) -> int:
        """Training samples of all CLs together."""
        return sum(len(client.train_target) for client in self.clients)

    def pooled(self, part: Literal["train", "test"]) -> tuple[np.ndarray, np.ndarray]:
        """Return one part of all CLs' samples in one, features float32 [n, Q] and target float32 [n]."""
        features, target = (
            np.concatenate([getattr(client, f"{part}_{what}") for client in self.clients])
            for what in ("features", "target")
        )
        return features, target

    def scaled(self) -> "SliceData":
        """Return the slice with every feature divided by its maximum; the target stays in percent.

        The maxima of the result are 1 and its units are empty, so scaling twice changes nothing; roles stay.
        """
        maxima = self.feature_maxima

        def scale(client: ClientData) -> ClientData:
            return dataclasses.replace(
                client,
                train_features=client.train_features / maxima,
                test_features=client.test_features / maxima,
            )

        return dataclasses.replace(
            self,
            features=tuple(dataclasses.replace(feature, unit="", maximum=1.0) for feature in self.features),
            clients=tuple(scale(client) for client in self.clients),
        )

    def subset(self, clients: int) -> "SliceData":
        """Return the slice with its first CLs only (the paper's Fig. 8 varies their number).

        Args:
            clients: how many, from 1 to all of them.

        Raises:
            ValueError: `clients` is outside that range.
        """
        if not 1 <= clients <= len(self.clients):
            raise ValueError(f"clients must lie in 1..{len(self.clients)} for slice {self.name!r}, got {clients}")
        return dataclasses.replace(self, clients=self.clients[:clients])

    def digest(self) -> str:
        """Return the SHA-256 of names, units, maxima and arrays, not of roles, 64 hex digits."""
        sha = hashlib.sha256()

        def add_text(*texts: str) -> None:
            # The length goes first, so that ("ab", "c") and ("a", "bc") differ.
            for text in texts:
                raw = text.encode()
                sha.update(len(raw).to_bytes(8, "little") + raw)

        def add_array(array: np.ndarray) -> None:
            add_text(str(array.shape))
            sha.update(np.ascontiguousarray(array, dtype="<f4").tobytes())

        add_text(self.name, self.target_name, self.target_unit, *self.feature_names, *self.feature_units)
        add_array(self.feature_maxima)
        for client in self.clients:
            add_text(client.name)
            for array in (client.train_features, client.train_target, client.test_features, client.test_target):
                add_array(array)
        return sha.hexdigest()


def _check_client(client: ClientData, features: int, where: str) -> None:
    """Check the four arrays of one CL."""
    for split, inputs, target, fewest in (
        ("train", client.train_features, client.train_target, 2),
        ("test", client.test_features, client.test_target, 1),
    ):
        samples = len(target) if np.ndim(target) == 1 else -1
        _require_array(target, (max(samples, 0),), f"{where}: {split}_target")
        _require_array(inputs, (samples, features), f"{where}: {split}_features")
        if samples < fewest:
            raise ValueError(f"{where}: needs at least {fewest} {split} sample(s), got {samples}")


def _require_array(array: np.ndarray, shape: tuple[int, ...], what: str) -> None:
    """Refuse anything but a finite float32 array of this shape."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float32:
        raise TypeError(f"{what} must be a float32 numpy array, got {getattr(array, 'dtype', type(array).__name__)}")
    if array.shape != shape:
        raise ValueError(f"{what} must have shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{what} must be finite, got {array[index]} at index {index}")


def _require_unique(names: list[str] | tuple[str, ...], what: str) -> None:
    """Refuse a name that occurs twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{what} must be unique, got {twice} more than once")

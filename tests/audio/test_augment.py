"""Sounds varied by chance: the same for the same chance, and changed by as much as is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.audio import add_noise, change_loudness, change_speed, join_sounds, spec_augment

TONE = np.sin(2 * np.pi * 440 * np.arange(8_000) / 8_000).astype(np.float32)


@pytest.mark.parametrize("speed", [0.9, 1.0, 1.1])
def test_speed_changes_length_and_pitch(speed: float) -> None:
    made = change_speed(TONE, speed)
    assert len(made) == pytest.approx(8_000 / speed, abs=1)
    tone = np.abs(np.fft.rfft(made)).argmax() * 8_000 / len(made)
    assert tone == pytest.approx(440 * speed, abs=2)


def test_noise_is_as_loud_as_is_asked_for() -> None:
    for seed in range(10):
        made = add_noise(TONE, np.random.default_rng(seed), (20, 20))
        noise = made.astype(np.float64) - TONE
        assert 10 * np.log10(np.square(TONE).mean() / np.square(noise).mean()) == pytest.approx(20, abs=0.01)
        assert np.array_equal(made, add_noise(TONE, np.random.default_rng(seed), (20, 20)))
    assert not add_noise(np.zeros(9, np.float32), np.random.default_rng(1)).any()


def test_loudness() -> None:
    made = [change_loudness(TONE, np.random.default_rng(seed)).max() for seed in range(50)]
    assert 0.5 < min(made) < 0.6 and 1.7 < max(made) < 2


def test_sounds_joined() -> None:
    parts = [np.full(count, count, np.float32) for count in (3, 2, 4)]
    made = join_sounds(parts, np.random.default_rng(1), (5, 9))
    assert np.array_equal(made[made > 0], np.concatenate(parts))
    assert 9 + 2 * 5 <= len(made) <= 9 + 2 * 9


def test_bands_and_stretches_are_hidden() -> None:
    frames, shares = np.ones((200, 40), np.float32), []
    for seed in range(50):
        made = spec_augment(frames, np.random.default_rng(seed), fill=np.arange(40))
        hidden = made != 1
        hidden[:, 1] = hidden[:, 0]  # whose filling is 1
        shares.append(hidden.mean())
        assert hidden.all(0).sum() <= 2 * 6 and hidden.all(1).sum() <= 2 * 20
        assert not np.shares_memory(made, frames)
    assert 0.05 < np.mean(shares) < 0.4
    assert np.array_equal(spec_augment(frames, np.random.default_rng(1), bands=0, gaps=0), frames)
    assert spec_augment(np.ones((1, 40), np.float32), np.random.default_rng(1)).shape == (1, 40)

"""The schedule and the sampler against closed forms, and against another implementation where one is installed."""

import numpy as np
import pytest

from rendering.engine.motion.life import schedule

STEPS = (980, 640, 330, 90)


def test_the_schedule_is_the_squared_cosine():
    shares = schedule.kept_shares()
    steps = np.arange(1, 1001)
    closed = np.cos((steps / 1000 + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * np.pi / 2) ** 2
    # All but the last, where the paper bounds beta.
    assert np.allclose(shares[:-1], closed[:-1], atol=1e-12)
    assert shares[-1] == pytest.approx(shares[-2] * 0.001)
    assert (np.diff(shares) < 0).all()


def test_steps_run_from_the_noisiest_to_the_clean_sample():
    pairs = schedule.pairs(STEPS)
    assert [pair[0] for pair in pairs] == list(STEPS)
    assert pairs[-1][2] == 1.0
    for (_, _, after), (_, share, _) in zip(pairs, pairs[1:], strict=False):
        assert after == share


def test_a_perfect_prediction_gives_the_clean_sample():
    random = np.random.default_rng(0)
    clean, code = random.normal(size=(2, 5)), random.normal(size=(2, 5))
    for _, share, after in schedule.pairs(STEPS):
        code = schedule.ddim_step(code, clean, share, after)
    assert np.allclose(code, clean, atol=1e-12)


def test_one_step_by_hand():
    # x = sqrt(.25) * 2 + sqrt(.75) * 1, so the noise in it is 1; at share .64 that is .8 * 2 + .6 * 1.
    noisy = np.array([0.5 * 2 + np.sqrt(0.75)])
    assert schedule.ddim_step(noisy, np.array([2.0]), 0.25, 0.64)[0] == pytest.approx(2.2)


def test_few_steps_keep_the_variance_when_what_is_open_is_put_back():
    # For normal data of any spread the best guess of the clean sample and its doubt are known in closed form.
    random = np.random.default_rng(1)
    for spread, eta in ((1.0, 0.0), (1.0, 1.0), (0.3, 1.0), (2.0, 1.0)):
        with_doubt, without = random.normal(size=(2, 100_000))
        for _, share, after in schedule.pairs(STEPS):
            guess = np.sqrt(share) * spread**2 / (share * spread**2 + 1 - share)
            doubt = spread**2 * (1 - share) / (share * spread**2 + 1 - share)
            fresh = random.normal(size=100_000)
            with_doubt = schedule.ddim_step(
                with_doubt, guess * with_doubt, share, after, eta=eta, fresh=fresh, doubt=doubt)
            without = schedule.ddim_step(without, guess * without, share, after)
        assert with_doubt.std() == pytest.approx(spread, rel=0.02)
        assert without.std() < 0.93 * spread


def test_agrees_with_diffusers():
    diffusers = pytest.importorskip("diffusers", reason="compared with diffusers only where it is installed")
    torch = pytest.importorskip("torch")
    other = diffusers.DDIMScheduler(1000, beta_schedule="squaredcos_cap_v2", prediction_type="sample",
                                    clip_sample=False, set_alpha_to_one=True, timestep_spacing="trailing")
    other.set_timesteps(4)
    assert np.allclose(other.alphas_cumprod.numpy(), schedule.kept_shares(), atol=1e-5)
    random = np.random.default_rng(2)
    code, clean = random.normal(size=(1, 6)), random.normal(size=(1, 6))
    theirs = torch.tensor(code)
    for step, share, after in schedule.pairs((999, 749, 499, 249)):
        theirs = other.step(torch.tensor(clean), int(step), theirs).prev_sample
        code = schedule.ddim_step(code, clean, share, after)
    assert np.allclose(code, theirs.numpy(), atol=1e-4)

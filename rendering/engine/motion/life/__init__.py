"""Head, brows, gaze, blinks, breath and small expressions by a small diffusion model, in causal chunks."""

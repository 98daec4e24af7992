"""Life for a replica: procedural motion models, footage, training and scoring (`python -m rendering.training.life`)."""

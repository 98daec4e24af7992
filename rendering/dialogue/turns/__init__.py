"""Who has the floor: hears a turn end by the voice, the words and the silence (`docs/turn-taking.md`)."""

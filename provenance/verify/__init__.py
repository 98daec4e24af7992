"""Offline verification: streams, recordings, exports and evidence bundles. Needs no secret and no network."""

"""C2PA manifests, per-frame attestation and sealing. Pure: no Django, no network, no clock of its own."""

"""Moves and draws a replica. Pure: numpy and numba (torch for the reference rasteriser); no clock, files, net, trust.

Replica.from_files -> Renderer(replica, size_px).draw(Performer(replica, seed).state_at(t_s)) -> uint8 [size, size, 3].
"""

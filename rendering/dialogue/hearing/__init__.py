"""From the viewer's microphone to hops and words. PURE of transport: packets and the time are passed in.

    RTP packets -> receive_buffer -> opus -> hops -> voice_activity -> Hop -> Ears (sphinx)
"""

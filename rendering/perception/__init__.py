"""PURE. What may be read from a viewer's face and voice, and in which small shape it travels.

The viewer's browser does the reading (trustcore/static/js/viewer/perception/); the same maths stands here in numpy, as
its readable truth. Pictures of a viewer never come here: there is no code that would read one.
"""

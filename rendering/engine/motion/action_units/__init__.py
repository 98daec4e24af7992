"""Facial action units (FACS) as displacement fields on the 478-point mesh, drawn for every face and fitted to one.

Numbers and meanings after P. Ekman, W. Friesen, J. Hager: Facial Action Coding System (2002).
"""

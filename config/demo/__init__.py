"""The demo organisation: people and their work, made up from a seed, so that a first look shows a living back office.

`cast` says who there is, `rota` who works when, `traffic` what customers want, `floor` what comes of it and `facts` tells
it all in the normal form of a delivery; none of them knows the database. `writer` brings people and facts into it.
"""

"""A small shop to look at: ``domcore demo`` makes its files, takes its orders in and routes them.

Everything is generated from a seed. City names and ZIP codes come from the ``zipcodes`` package
(MIT); people and streets are made up.
"""

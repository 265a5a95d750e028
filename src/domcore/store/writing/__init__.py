"""The writing half of a store, by what is written."""

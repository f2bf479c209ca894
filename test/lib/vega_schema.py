#!/usr/bin/python3
"""Says of each file whether it is valid by Vega-Lite's JSON schema.

vega_schema.py SCHEMA SPECIFICATION...
"""
import json
import sys

import jsonschema


def deepest(errors):
    """The errors at the ends of a tree of alternatives."""
    for error in errors:
        if error.context:
            yield from deepest(error.context)
        else:
            yield error


with open(sys.argv[1]) as file:
    validator = jsonschema.Draft7Validator(json.load(file))
bad = 0
for name in sys.argv[2:]:
    with open(name) as file:
        specification = json.load(file)
    errors = sorted(deepest(validator.iter_errors(specification)), key=lambda e: -len(e.absolute_path))
    for error in errors[:3]:
        print(f"{name}: {list(error.absolute_path)}: {error.message[:200]}")
    bad += bool(errors)
sys.exit(bad != 0)

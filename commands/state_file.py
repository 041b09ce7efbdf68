"""A configuration as YAML: what looks like a phone number stays text, and no key stands twice."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import yaml

__all__ = ["WrongFile", "as_yaml", "read_yaml"]


class WrongFile(Exception):
    """The file cannot be read, or is no document."""


class _Loader(yaml.SafeLoader):
    """YAML 1.1 would read ``+14155550100`` as an integer and ``no`` as false; here numbers are
    those of JSON (RFC 8259 section 6, with a point for a fraction)."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen: set[str] = set()
        for name, _ in node.value:
            if not isinstance(name, yaml.ScalarNode):
                continue
            if name.value in seen:
                raise yaml.composer.ComposerError(
                    None, None, f"{name.value} is there twice", name.start_mark
                )
            seen.add(name.value)
        return node


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]*(?:[eE][-+][0-9]+)?", "-0123456789"),
    ("null", r"~|null|", ["~", "n", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first)
    )


class _Dumper(yaml.SafeDumper):
    """Quotes what any YAML reader could take for something else than text."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(document: Any) -> str:
    """The document as YAML that :func:`read_yaml` reads back as it is."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def read_yaml(file: Path) -> Any:
    """The document in the file; ``-`` is standard input. Raises ``WrongFile``."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongFile(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongFile(f"{file}: is not UTF-8") from error
    try:
        document = yaml.load(text, Loader=_Loader)
        json.dumps(document, allow_nan=False)
    except yaml.YAMLError as error:
        raise WrongFile(f"{file}: {error}") from error
    except (TypeError, ValueError, RecursionError) as error:
        raise WrongFile(f"{file}: holds what JSON cannot say: {error}") from error
    if not isinstance(document, dict):
        raise WrongFile(f"{file}: must hold version, trunks and numbers")
    return document

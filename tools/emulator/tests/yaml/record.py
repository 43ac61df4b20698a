"""Writes corpus.json: odd YAML documents and what PyYAML, which SAM reads templates with, makes of them.

Run it with PyYAML 6 after adding a document. A tree is JSON; a tag is the function's long name, and a
document that PyYAML refuses has no tree. A number, a date or a boolean of YAML 1.1 is an object with the
member "literal", which keeps its spelling, except that of a boolean.
"""

import json
import pathlib

import yaml

DOCUMENTS = [
    # A flow collection that ends at or before its key's column.
    "a:\n  b: [\n    'x',\n    'y'\n  ]\n",
    "a:\n  b: [\n    \"x\",\n    \"y\",\n]\nc: d\n",
    "a:\n  b: {\n    'x': 'y'\n  }\nc: d\n",
    "a:\n  b: [\nx,\ny]\n",
    "a:\n  - [\n    'x'\n  ]\n  - 'y'\n",
    "a:\n  b: !Join ['', [\n    'x',\n    !Ref Y\n  ]]\n",
    "a: [x, y,]\nb: {x: y,}\n",
    "a: [x: y, z]\n",
    "{a: b, c, 'd': }\n",
    "a: {b: c}d\n",
    "a: [b] ]\n",
    "a: [b\n",
    "a: [,]\n",
    # Indentation.
    "a:\n- x\n- y\nb: z\n",
    "a:\n  - b: 1\n    c: 2\n  -\n    d: 3\n",
    "- - x\n  - y\n- z\n",
    "a:\n\tb: c\n",
    "a: b\n\tc\n",
    "a: b # c\nd: e#f\n",
    "a:\n    b: c\n  d: e\n",
    "a: b: c\n",
    "a:\n  b\n  c\nd: e\n",
    # Scalars.
    "a: 'it''s'\nb: \"\\u0041\\x42\\n\\\n  c\"\n",
    "a: 'x\n\n  y'\nb: \"x\n  y\"\n",
    "a: \"x\ny\"\n",
    "a: |\n  x\n   y\n\nb: >-\n  x\n  y\n\n  z\nc: |+\n  x\n\nd: |2\n    x\n",
    "a: >\n  x\n    y\n  z\n",
    "a: !Sub |\n  ${X}\n",
    "a: !Sub\n  - ${x}\n  - x: !Ref Y\n",
    "a: !GetAtt B.Arn\nb: !GetAtt [B, Arn]\nc: !Condition D\n",
    "a: !If [C, !Ref 'AWS::NoValue', 'x']\n",
    "a: @b\n",
    "a: `b`\n",
    "a: %b\n",
    "a: *\n",
    "a: '*'\nb: \"*\"\nc: /{proxy+}\n",
    "a: -\nb: -c\nd: ?e\nf: :g\n",
    "a: b:c\nd: http://e/f\n",
    "a: ~\nb:\nc: null\nd: Null\ne: NULL\nf: 'null'\ng: nULL\n",
    "a: [yes, No, ON, off, true, FALSE, y, n, tRue, 'yes']\n",
    "a: [0123, 1.10, 1e3, 2010-09-09, .5]\n",
    "a: [0, 1, -1, +1, 00, 09, 1_000, 0b10, 0x1F, 0o7, 190:20:30, 1:60, 12a, 1., '1', 0x, _1]\n",
    "a: [2.0, 3.0.1, 2_0.0, -1.5e+3, 1.5e3, +.5, 1:30.5, .inf, -.INF, .nan, .NaN, ., 1.2.3, '2.0']\n",
    "a: [2010-9-9, 2010-09-09T1:02:03, '2010-09-09', 2010-09-09 01:02:03.5 +01:00, 2010-09-09 1, 22-11-26]\n",
    "2.0: yes\nNo: 1\n",
    "a: !!str yes\nb: !!str 1\n",
    # Reported to the trackers of SAM and of YAML parsers (docs/gateway.md).
    "a: ! 'x but\n\n  y\n\n'\n",
    "a:\n  b: \"-----BEGIN\nx\ny\n-----END\"\n  c: d\n",
    "a:\n  !Sub\n    - |-\n       {\n         \"b\": 1\n       }\n    - {\n      c: \"d\"\n    }\n",
    "a:\n  !If\n  - B\n  - !Sub https://${C}\n  - !Join [., [!Sub \"http://${D}\", !FindInMap [E, !Ref 'AWS::Region', F]]]\n",
    "a:\n  - !Sub arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${T}\n",
    "a: !GetAtt\n  - B\n  - Arn\n",
    # Keys.
    "'a b': 1\n\"c\": 2\n1: 3\n",
    "? a\n: b\n? c\n",
    "{\"a\":b}\n",
    "a : b\n",
    "? [a]\n: b\n",
    # Anchors and aliases.
    "a: &x {b: c}\nd: *x\n",
    "a: &x b\nc: *x\nd: [*x, *x]\n",
    "a: &x !Ref B\nc: *x\n",
    "a: !Ref &x B\nc: *x\n",
    "a: &x 1\nb: &x 2\nc: *x\n",
    "a: &x\n  - b\nc:\n  d: *x\n",
    "&x a: b\nc: *x\n",
    "a: &x b\n*x : c\n",
    "a: *x\n",
    "a: &x\nb: *x\n",
    # Documents.
    "---\na: b\n...\n",
    "# c\n\n---\na: b\n",
    "%YAML 1.1\n---\na: b\n",
    "\ufeffa: b\n",
    "a: b\r\nc:\r\n  - d\r\n",
    "{\"a\": {\"Fn::Sub\": \"b\"}, \"c\": null, \"d\": true}\n",
    "a: 'b\n",
    "a: \"\\q\"\n",
    "a: }\n",
]

LITERALS = [f"tag:yaml.org,2002:{kind}" for kind in ("float", "int", "timestamp")]
BOOLEANS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


def tree(node):
    """The node as JSON."""
    if isinstance(node, yaml.ScalarNode):
        value = node.value
        if node.tag == "tag:yaml.org,2002:null":
            value = None
        elif node.tag == "tag:yaml.org,2002:bool":
            value = {"literal": "true" if BOOLEANS[value.lower()] else "false"}
        elif node.tag in LITERALS and node.style is None:
            value = {"literal": value}
    elif isinstance(node, yaml.SequenceNode):
        value = [tree(item) for item in node.value]
    else:
        value = {key(name): tree(item) for name, item in node.value}
    if node.tag.startswith("!"):
        name = node.tag[1:]
        return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}
    return value


def key(node):
    """The text of a mapping's key; CloudFormation has no other keys."""
    if not isinstance(node, yaml.ScalarNode):
        raise yaml.YAMLError("a key must be a string")
    return node.value


def main():
    """Records every document."""
    corpus = []
    for text in DOCUMENTS:
        entry = {"text": text}
        try:
            entry["tree"] = tree(yaml.compose(text, Loader=yaml.SafeLoader))
        except yaml.YAMLError:
            pass
        corpus.append(entry)
    lines = ",\n".join(json.dumps(entry) for entry in corpus)
    pathlib.Path(__file__).with_name("corpus.json").write_text(f"[\n{lines}\n]\n")


main()

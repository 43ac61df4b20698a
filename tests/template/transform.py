"""Prints template.yaml as SAM's transform leaves it, as JSON. Needs aws-sam-cli and AWS_DEFAULT_REGION."""

import json
import logging

from samcli.yamlhelper import parse_yaml_file
from samtranslator.translator.transform import transform

logging.disable()  # It warns of switches for features that it does not know.
template = parse_yaml_file("template.yaml")
template["Globals"]["Function"]["CodeUri"] = "s3://bucket/key"  # where `sam deploy` would have put the code
# Parameters stay as they are: CloudFormation fills them in after the transform, and so do the tests.
print(json.dumps(transform(template, parameter_values={}, managed_policy_loader=None)))

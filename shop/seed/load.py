#!/usr/bin/env python3
"""Puts the products of `products.json` into the table PRODUCTS_TABLE.

    PRODUCTS_TABLE=… python3 seed/load.py

A product that is there already stays as it is, so that a second run changes neither prices nor stock. Needs boto3,
whose usual variables say which account or emulator is meant (AWS_ENDPOINT_URL, AWS_REGION, …).
"""

import json
import os
import pathlib

import boto3

PRODUCTS = pathlib.Path(__file__).resolve().parent / "products.json"


def main():
    table = boto3.resource("dynamodb").Table(os.environ["PRODUCTS_TABLE"])
    products = json.loads(PRODUCTS.read_text())
    print(f"{sum(put(table, product) for product in products)} of {len(products)} products are new")


def put(table, product):
    """Writes a product unless there is one of its ID; returns whether it was written."""
    try:
        table.put_item(Item=product, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    return True


main()

#!/usr/bin/env python3
"""Puts the products of `products.json` into the table PRODUCTS_TABLE, and the orders of `orders.json` into ORDERS_TABLE.

    PRODUCTS_TABLE=… ORDERS_TABLE=… python3 seed/load.py

What is there already stays as it is, so that a second run changes neither prices nor stock. The orders are of the last
days, so that the reports have something to show; they take no stock, and without ORDERS_TABLE there are none. Needs
boto3, whose usual variables say which account or emulator is meant (AWS_ENDPOINT_URL, AWS_REGION, …).
"""

import json
import os
import pathlib
import time

import boto3

SEED = pathlib.Path(__file__).resolve().parent


def main():
    products = json.loads((SEED / "products.json").read_text())
    load("PRODUCTS_TABLE", "products", products)
    if "ORDERS_TABLE" in os.environ:
        shelf = {product["id"]: product for product in products}
        orders = json.loads((SEED / "orders.json").read_text())
        load("ORDERS_TABLE", "orders", [item(order, shelf, int(time.time())) for order in orders])


def item(order, shelf, now):
    """The item of an order, as the function `new_order` writes it and `update_inventory` settles it."""
    def line(of):
        product = shelf[of["product_id"]]
        return of | {"product_name": product["product_name"], "price_cents": product["price_cents"]}

    items = [line(of) for of in order["items"]]
    return {name: order[name] for name in ("id", "status", "customer_name", "email", "phone")} | {
        "kind": "order",
        "placed_at": now - order["hours_ago"] * 3600,
        "items": items,
        "total_cents": sum(of["quantity"] * of["price_cents"] for of in items),
    } | ({"reason": "out_of_stock"} if order["status"] == "rejected" else {})


def load(variable, kind, items):
    """Writes the items that are not there yet into the table that the variable names."""
    table = boto3.resource("dynamodb").Table(os.environ[variable])
    print(f"{sum(put(table, item) for item in items)} of {len(items)} {kind} are new")


def put(table, item):
    """Writes an item unless there is one of its ID; returns whether it was written."""
    try:
        table.put_item(Item=item, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False
    return True


main()

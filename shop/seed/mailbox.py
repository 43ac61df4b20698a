#!/usr/bin/env python3
"""Reads the mails of a shop on an emulator, which sends none: from a queue that is subscribed to its topic.

    TOPIC_ARN=… python3 seed/mailbox.py open     once, before the first mail
    python3 seed/mailbox.py print                all mails since then, the oldest first

Needs boto3, whose usual variables say which emulator is meant (AWS_ENDPOINT_URL, AWS_REGION, …).
"""

import json
import os
import sys

import boto3

QUEUE = "shop-mail"

sqs = boto3.client("sqs")


def open_mailbox():
    topic = os.environ["TOPIC_ARN"]
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)


def print_mails():
    """Leaves the mails in the queue, so that the next call prints them again."""
    url = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
    received = []
    # A received mail is hidden until it is put back.
    while mails := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30).get("Messages"):
        received += mails
    for mail in received:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=mail["ReceiptHandle"], VisibilityTimeout=0)
    for mail in sorted((json.loads(mail["Body"]) for mail in received), key=lambda mail: mail["Timestamp"]):
        print(f"{mail['Timestamp']}  {mail['Subject']}\n\n{mail['Message']}\n")
    if not received:
        print("no mail yet")


{"open": open_mailbox, "print": print_mails}[sys.argv[1]]()

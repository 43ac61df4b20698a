#!/usr/bin/env python3
"""Makes two people who can sign in: admin@example.com, in the group `admin`, and employee@example.com.

    USER_POOL_ID=… python3 seed/staff.py

Draws a new password for each, also for one who is there already, and prints both as a JSON object. For tests and for
an emulator: in a real shop each person chooses their own password. Needs boto3, whose usual variables say which
account or emulator is meant (AWS_ENDPOINT_URL, AWS_REGION, …).
"""

import json
import os
import secrets

import boto3

ADMIN, EMPLOYEE = "admin@example.com", "employee@example.com"


def main():
    cognito, pool = boto3.client("cognito-idp"), os.environ["USER_POOL_ID"]
    passwords = {email: password(cognito, pool, email) for email in (ADMIN, EMPLOYEE)}
    cognito.admin_add_user_to_group(UserPoolId=pool, Username=ADMIN, GroupName="admin")
    print(json.dumps(passwords))


def password(cognito, pool, email):
    """Gives a person, who is made if there is none, a new password; returns it."""
    attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
    try:
        cognito.admin_create_user(UserPoolId=pool, Username=email, UserAttributes=attributes, MessageAction="SUPPRESS")
    except cognito.exceptions.UsernameExistsException:
        pass
    # The policy of the pool wants a lower-case and an upper-case letter, and a digit.
    new = secrets.token_urlsafe(12) + "aA0"
    cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=new, Permanent=True)
    return new


main()

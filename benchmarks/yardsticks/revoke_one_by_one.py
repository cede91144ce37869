"""What somebody would write in place of `pat revoke --name 'x-*'`: a loop over one session."""

import os
import sys

import requests

url = f"{os.environ['PAT_API_URL']}/{os.environ['PAT_ORG']}/_apis/tokens/pats"
session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['PAT_ACCESS_TOKEN']}"
query = {"displayFilterOption": "active", "$top": "100", "api-version": "7.2-preview.1"}
tokens = []
while True:
    page = session.get(url, params=query, timeout=30).json()
    tokens += page["patTokens"]
    if not page["continuationToken"]:
        break
    query["continuationToken"] = page["continuationToken"]
for token in tokens:
    if token["displayName"].startswith(sys.argv[1]):
        parameters = {
            "authorizationId": token["authorizationId"],
            "api-version": "7.2-preview.1",
        }
        session.delete(url, params=parameters, timeout=30).raise_for_status()

"""What somebody would write in place of `pat list -o json`: one request, the same JSON."""

import json
import os
import sys
from datetime import UTC, datetime

import requests

answer = requests.get(
    f"{os.environ['PAT_API_URL']}/{os.environ['PAT_ORG']}/_apis/tokens/pats",
    params={"displayFilterOption": "active", "$top": "100", "api-version": "7.2-preview.1"},
    headers={"Authorization": f"Bearer {os.environ['PAT_ACCESS_TOKEN']}"},
    timeout=30,
)
answer.raise_for_status()
now = datetime.now(UTC)
documents = []
for token in answer.json()["patTokens"]:
    created = datetime.fromisoformat(token["validFrom"])
    expires = datetime.fromisoformat(token["validTo"])
    documents.append(
        {
            "name": token["displayName"],
            "id": token["authorizationId"],
            "org": os.environ["PAT_ORG"],
            "status": "active",
            "scopes": token["scope"].split(),
            "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
            "expires": f"{expires:%Y-%m-%dT%H:%M:%SZ}",
            "expires_in_days": (expires - now).days,
            "global": token["targetAccounts"] is None,
            "stored": False,
            "origin": "unknown",
        }
    )
documents.sort(key=lambda document: document["name"])
sys.stdout.write(json.dumps(documents, ensure_ascii=False, indent=2) + "\n")

BEGIN TRANSACTION;
CREATE TABLE dismissed (authorization_id TEXT PRIMARY KEY);
CREATE TABLE journal (
        key INTEGER PRIMARY KEY AUTOINCREMENT,
        operation TEXT NOT NULL,
        org_url TEXT NOT NULL,
        org TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        valid_to TEXT NOT NULL,
        started TEXT NOT NULL,
        authorization_id TEXT,
        mark TEXT NOT NULL DEFAULT '',
        user TEXT NOT NULL DEFAULT '',
        reason TEXT NOT NULL DEFAULT '',
        upkeep TEXT NOT NULL DEFAULT '{}',
        follow_up TEXT,
        new_name TEXT NOT NULL DEFAULT '',
        entry TEXT,
        looked TEXT
    );
INSERT INTO "journal" VALUES(1,'create','https://dev.azure.com/contoso','contoso','ci','["vso.code"]','2026-07-15T12:00:00.123000Z','2026-06-15T12:00:00Z',NULL,'','ada@contoso.com','','{"deliveries": [{"kind": "command", "target": ["deploy"], "template": "", "folder": "", "seconds": 60}]}','{"operation": "deliver", "valid_to": "2026-07-15T12:00:00.123000Z", "authorization_id": null}','',NULL,NULL);
INSERT INTO "journal" VALUES(2,'replace','https://dev.azure.com/contoso','contoso','replaced','["vso.code"]','2026-07-15T12:00:00.123000Z','2026-06-15T12:00:00Z','made-2','salt:hash','ada@contoso.com','','{}',NULL,'',NULL,NULL);
INSERT INTO "journal" VALUES(3,'rotate','https://dev.azure.com/contoso','contoso','rotated','["vso.code"]','2026-07-15T12:00:00.123000Z','2026-06-15T12:00:00Z',NULL,'','ada@contoso.com','','{"deliveries": [{"kind": "command", "target": ["deploy"], "template": "", "folder": "", "seconds": 60}]}','{"operation": "deliver", "valid_to": "2026-06-15T13:00:00Z", "authorization_id": "old-3"}','',NULL,'2026-06-15T12:00:00Z');
INSERT INTO "journal" VALUES(4,'rotate','https://dev.azure.com/contoso','contoso','kept','["vso.code"]','2026-07-15T12:00:00.123000Z','2026-06-15T12:00:00Z',NULL,'','ada@contoso.com','','{"deliveries": [{"kind": "command", "target": ["deploy"], "template": "", "folder": "", "seconds": 60}]}','{"operation": "deliver", "valid_to": "2026-06-15T12:00:00Z", "authorization_id": null}','',NULL,NULL);
INSERT INTO "journal" VALUES(5,'deliver','https://dev.azure.com/contoso','contoso','delivered','["vso.code"]','2026-06-15T12:00:00Z','2026-06-15T12:00:00Z','old-5','','ada@contoso.com','exit status 1','{}',NULL,'',NULL,NULL);
INSERT INTO "journal" VALUES(6,'deliver','https://dev.azure.com/contoso','contoso','only delivered','["vso.code"]','2026-07-15T12:00:00.123000Z','2026-06-15T12:00:00Z',NULL,'','ada@contoso.com','','{}',NULL,'',NULL,NULL);
INSERT INTO "journal" VALUES(7,'revoke','https://dev.azure.com/contoso','contoso','old','["vso.code"]','2026-06-15T14:00:00Z','2026-06-15T12:00:00Z','old-7','','ada@contoso.com','','{}',NULL,'',NULL,NULL);
INSERT INTO "journal" VALUES(8,'end','https://dev.azure.com/contoso','contoso','gone','["vso.code"]','2026-06-15T12:00:00Z','2026-06-15T12:00:00Z','gone-8','','ada@contoso.com','','{}',NULL,'',NULL,NULL);
INSERT INTO "journal" VALUES(9,'move','https://dev.azure.com/contoso','contoso','before','["vso.code"]','2026-06-15T12:00:00Z','2026-06-15T12:00:00Z','moved-9','','ada@contoso.com','','{}',NULL,'after',NULL,NULL);
INSERT INTO "journal" VALUES(10,'import','https://dev.azure.com/contoso','contoso','imported','["vso.code"]','2026-06-15T12:00:00Z','2026-06-15T12:00:00Z',NULL,'salt:import','','','{}',NULL,'','{"id": null, "scopes": ["vso.code"], "created": null, "expires": "2026-06-15T12:00:00Z", "origin": "unknown", "upkeep": "{}"}',NULL);
INSERT INTO "journal" VALUES(11,'forget','https://dev.azure.com/contoso','contoso','forgotten','["vso.code"]','2026-06-15T12:00:00Z','2026-06-15T12:00:00Z','gone-8','salt:forget','','','{}',NULL,'',NULL,NULL);
CREATE TABLE made (authorization_id TEXT PRIMARY KEY);
CREATE TABLE organizations (
        api_root TEXT NOT NULL,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        id TEXT,
        hosted INTEGER NOT NULL,
        PRIMARY KEY (api_root, position)
    );
CREATE TABLE tokens (
        org_url TEXT NOT NULL,
        org TEXT NOT NULL,
        name TEXT NOT NULL,
        id TEXT,
        scopes TEXT NOT NULL,
        created TEXT,
        expires TEXT,
        stored INTEGER NOT NULL,
        origin TEXT NOT NULL,
        upkeep TEXT NOT NULL DEFAULT '{}',
        fingerprint TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (org_url, name)
    );
COMMIT;

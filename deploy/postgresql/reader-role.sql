-- A role for reporting tools that reads facts and nothing else.
--
--     psql "$DATABASE_URL" -v reader=erp_reader -f deploy/postgresql/reader-role.sql
--     psql "$DATABASE_URL" -c '\password erp_reader'
--
-- Run it as the owner of the tables who may also create roles, and again after an upgrade that adds tables; it changes
-- nothing that is already so. The role has no password until it is given one. It sees the fact tables, their raw views,
-- platforms and shops. Quarantined rows hold what could not be trusted, and so perhaps anything: they are granted only
-- with -v quarantine=on.

\set ON_ERROR_STOP on
\if :{?reader}
\else
    DO $$ BEGIN RAISE EXCEPTION 'Name the role: -v reader=erp_reader'; END $$;
\endif
\if :{?quarantine}
\else
    \set quarantine off
\endif

BEGIN;

SELECT format('CREATE ROLE %I', :'reader')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'reader') \gexec

ALTER ROLE :"reader" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 10;
-- What a session begins with. A reader may set its time-outs otherwise: they keep reports from being forgotten, not
-- from being greedy. What it may read, and that it writes nothing, is held by the grants below.
ALTER ROLE :"reader" SET default_transaction_read_only = on;
ALTER ROLE :"reader" SET statement_timeout = '60s';
ALTER ROLE :"reader" SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE :"reader" SET timezone = 'UTC';

SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), :'reader') \gexec
GRANT USAGE ON SCHEMA public TO :"reader";
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :"reader";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM :"reader";

GRANT SELECT ON
    datasync_orderline, datasync_orderline_raw,
    datasync_productmetric, datasync_productmetric_raw,
    datasync_trafficmetric, datasync_trafficmetric_raw,
    datasync_servicemetric, datasync_servicemetric_raw,
    datasync_inventorysnapshot, datasync_inventorysnapshot_raw,
    datasync_financeentry, datasync_financeentry_raw,
    datasync_platform, datasync_shop
TO :"reader";

\if :quarantine
    GRANT SELECT ON datasync_quarantinedrow TO :"reader";
\endif

COMMIT;

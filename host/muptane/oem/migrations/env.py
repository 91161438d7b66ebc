"""What alembic runs: the revisions of `versions`, on the connection that it was given.

`muptane.oem.migrating` gives it one, in a transaction. There is no alembic.ini: to write the next
revision, add a file to `versions`, its id to `REVISIONS` of `muptane.oem.database`, and let
tests/host/test_oem_migrations.py say whether it makes what the models say. It decides nothing.
Rules: R-17.
"""

from alembic import context

from muptane.oem.inventory import TABLES

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=TABLES,
    render_as_batch=True,
)
context.run_migrations()

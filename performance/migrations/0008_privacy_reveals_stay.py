"""Looks at telephone numbers are append-only: not even SQL of the application changes one."""

from django.db import migrations

FORTH = """
CREATE TRIGGER phone_reveals_stay BEFORE UPDATE OR DELETE ON performance_phonereveal
    FOR EACH ROW EXECUTE FUNCTION teams_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [('performance', '0007_privacy_phones'), ("teams", "0008_privacy_access_records_stay")]

    operations = [migrations.RunSQL(FORTH, "DROP TRIGGER phone_reveals_stay ON performance_phonereveal")]

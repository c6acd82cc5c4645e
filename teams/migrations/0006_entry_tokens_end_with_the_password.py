"""A password that changes ends the account's tokens in the same transaction, by whatever door: page, command, shell.

Sessions need no such rule: each carries a digest of the password and is asked for it at every request.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION teams_end_tokens() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM teams_tokenuse USING knox_authtoken
        WHERE teams_tokenuse.token_id = knox_authtoken.digest AND knox_authtoken.user_id = NEW.id;
    DELETE FROM knox_authtoken WHERE user_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER tokens_end_with_the_password AFTER UPDATE OF password ON teams_user
    FOR EACH ROW WHEN (OLD.password IS DISTINCT FROM NEW.password) EXECUTE FUNCTION teams_end_tokens();
"""

BACKWARDS = """
DROP TRIGGER tokens_end_with_the_password ON teams_user;
DROP FUNCTION teams_end_tokens();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("knox", "0009_extend_authtoken_field"),
        ('teams', '0005_entry_sessions_tries_tokens'),
    ]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]

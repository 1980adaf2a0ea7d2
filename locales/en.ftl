# The texts of errors, notices and events, by code. Each language has its own file.

### Errors. The attribute "title" is the same for every occurrence; the value describes this one.

error-not_found = There is nothing at this address. It may have been deleted, or the address may be wrong.
    .title = Page not found
error-unauthenticated = You need to log in.
    .title = Not logged in
error-reauthentication_required = Confirm your password to continue.
    .title = Password confirmation required
error-second_factor_required = Enter the code from your authenticator app, or a recovery code, as “code”.
    .title = Two-factor code required
error-insufficient_scope = The token lacks the scope { $scope }.
    .title = Insufficient scope
error-invalid_input = Some fields are not valid; “errors” lists them.
    .title = Invalid input
error-already_taken = Some values are already taken; “errors” lists the fields.
    .title = Already taken
error-version_conflict = Someone has saved a newer version meanwhile. Look at it first, and then try again.
    .title = Newer version
    .program = Someone has saved a newer version. Get it, apply your change to it, and send that with its ETag as If-Match.
error-too_many_requests = Too many attempts. Please wait { $unit ->
        [minutes] { $count } { $count ->
            [one] minute
           *[other] minutes
        }
       *[seconds] { $count } { $count ->
            [one] second
           *[other] seconds
        }
    } and try again.
    .title = Too many attempts
error-unavailable = { $reason ->
        [not-writable] Nothing can be saved at the moment, but you can go on reading. Please try again later.
       *[other] The site is busy, or its database is unreachable. Please try again shortly.
    }
    .title = Temporarily unavailable
error-internal_error = Something went wrong on our side. We’ve logged it. Please try again.
    .title = Something went wrong

error-login-failed = Wrong username, e-mail or password.
    .title = Log-in failed
error-login-expired = There is no log-in to complete here, or it has expired. Please start again.
    .title = Log-in expired
error-code-wrong = This code is wrong or has been used already.
    .title = Wrong code
error-code-locked = There were too many wrong codes. Set a new password by e-mail, or ask the operator of this site for help.
    .title = Codes locked
error-access_token-invalid = The access token is not valid. Log in again.
    .title = Invalid access token
error-access_token-not_yet_valid = The access token is not valid yet, because the clocks of the site’s servers differ. Try again shortly.
    .title = Access token not yet valid
error-refresh_token-invalid = The refresh token is not valid or has been used already. Log in again.
    .title = Invalid refresh token
error-personal_token-invalid = The token is unknown, revoked or expired.
    .title = Invalid personal token
error-session-ended = This session has ended. Log in again.
    .title = Session ended
error-link-invalid = The link is missing or no longer valid. Request a new one.
    .title = Invalid link
error-authorization_code-invalid = The authorization code is unknown, expired or used, or was issued for another client, redirect URI or verifier.
    .title = Invalid authorization code
error-authorization-scheme = Use “Authorization: Bearer” with an access token.
    .title = Unsupported authorization scheme

error-admin-required = Only an admin can do this.
    .title = Admins only
error-not_author = Only the author can change this.
    .title = Not the author
error-posts-own_vote = You can’t vote for what you wrote yourself.
    .title = Own vote
error-comments-closed = The comments on this post are closed.
    .title = Comments closed
error-registration-closed = This site doesn’t accept new accounts at the moment.
    .title = Registration closed
error-email-unverified = Confirm your e-mail address first: open the link we sent you.
    .title = E-mail address not confirmed
error-two_factor-required = This site requires two-factor log-in. Set it up to continue.
    .title = Two-factor log-in required
error-personal_token-not_allowed = Tokens that are limited to scopes can’t do this. Log in instead.
    .title = Not allowed for tokens

error-users-last_admin = This is the last admin. Make someone else an admin first.
    .title = Last admin
error-application-limit_reached = You have the maximum number of applications. Delete one first.
    .title = Too many applications
error-personal_token-limit_reached = You have the maximum number of tokens. Revoke one first.
    .title = Too many tokens
error-two_factor-already_on = Two-factor log-in is already on.
    .title = Two-factor log-in already on
error-email-nothing_to_confirm = There is no address to confirm.
    .title = Nothing to confirm
error-email-already_used = This e-mail address already has an account.
    .title = E-mail address in use
error-parent-deleted = The item this belongs to has just been deleted.
    .title = Item deleted
error-demo-exists = The demo is there already. Remove it first, with: postly demo --remove
    .title = Demo exists already

error-malformed_request = The request could not be understood: { $reason }.
    .title = Malformed request
error-unsupported_media_type = Send the body as { $type }.
    .title = Unsupported media type
error-unsupported_encoding = Send the body without compression: Content-Encoding is not supported.
    .title = Compressed body
error-body_too_large = The request is too large.
    .title = Request too large
error-method_not_allowed = This address doesn’t allow this method; it allows { $methods }.
    .title = Method not allowed
error-idempotency_key-invalid = The header Idempotency-Key must have one string of 1 to 255 visible ASCII characters.
    .title = Invalid Idempotency-Key
error-idempotency_key-in_use = The first request with this Idempotency-Key is still running. Repeat yours to get its answer.
    .title = Idempotency-Key in use
error-idempotency_key-reused = This Idempotency-Key was used for another request. Take a new key for each one.
    .title = Idempotency-Key used before
error-idempotency_key-answer_lost = The first request with this Idempotency-Key was carried out, but its answer is lost. Look at what is there before you use a new key.
    .title = Answer lost
error-form-sent = This form has already been sent. Look at what is there before you send it again.
    .title = Sent twice
error-cross_origin = This form was sent from another address than { $address }. Open { $address } and try again. If this is your site and that is not its address, set POSTLY_PUBLIC_URL.
    .title = Sent from another site
error-oauth-unknown_application = An application wanted access to your account, but this site doesn’t know it: its client id is missing or wrong. Nothing was shared.
    .title = Unknown application
error-oauth-wrong_redirect_uri = An application wanted access to your account, but gave an address that its owner has not registered. Nothing was shared.
    .title = Wrong redirect URI

### Scopes: what they let a program do.

scope-posts-read = Read posts, votes and people
scope-posts-write = Write and delete posts, and vote
scope-account = Read the account, its events and its sessions, and end sessions
scope-admin = Everything that admins can do

### Fields: field-<name>-<rule>, or else rule-<rule>. The attribute "meaning" is for the error reference.

rule-required = This field is required.
    .meaning = The field is missing or empty.
rule-too_short = Use at least { $min } characters.
    .meaning = The text is too short.
rule-too_long = Use at most { $max } characters.
    .meaning = The text is too long.
rule-too_many = Use at most { $max }.
    .meaning = The list is too long.
rule-too_complex = This is too complex.
    .meaning = The value would need too much work or space.
rule-malformed = This value has the wrong format.
    .meaning = The value has the wrong type or format.
rule-out_of_range = Enter a whole number from { $min } to { $max }.
    .meaning = The value is too small, too large, or not a number.
rule-unknown = This value is not allowed.
    .meaning = The value is not one of those that the field allows.
rule-undefined = There is no such parameter.
    .meaning = The parameter is not one of those that the list has.
rule-taken = This is already taken.
    .meaning = The value is already in use; the status is 409.
rule-wrong = This is not correct.
    .meaning = The value does not match the stored one.
rule-changed = This was changed in the meantime. Please try again.
    .meaning = The stored value was changed while the request was running.
rule-unmerged = Some places of this text still need a decision.
    .meaning = The text comes from the page that merges two texts, and lines that mark where both stand are left in it. Programs are never told this.
rule-guessable = This is too easy to guess.
    .meaning = The password is too easy to guess.
rule-breached = This password was stolen from another site. Choose one that you use nowhere else.
    .meaning = The password is in the site’s list of passwords from known breaches.
rule-contains_username = The password must not contain your username.
    .meaning = The password contains the username.
rule-mixed_scripts = Use letters from one alphabet only.
    .meaning = The name mixes letters from several alphabets.
rule-confusable = This looks like one that is already taken.
    .meaning = The value looks like one that is already in use; the status is 409.
rule-reserved = This name is reserved. Choose another one.
    .meaning = The name is kept for the site itself.
rule-invisible = Use visible characters only, and no control characters.
    .meaning = The text is invisible or contains control characters.
rule-fixed = This is fixed by { $variable } in the configuration of the server.
    .meaning = The configuration of the server has fixed the value.
rule-admin_only = Only an admin can choose this.
    .meaning = Only an admin may use this value.
rule-exclusive = Send only one of these fields.
    .meaning = Two mutually exclusive fields were sent.
rule-repeated = Send this field only once.
    .meaning = The field was sent more than once.
rule-not_text = This is not valid UTF-8 text.
    .meaning = The text is not valid UTF-8.
rule-nul_character = NUL characters are not allowed.
    .meaning = The text contains a NUL character.

field-q-malformed = Write days like 2026-01-31.
field-q-too_complex = Use at most { $max } words, phrases and filters.
field-version-malformed = Send the version as a whole number.
field-days-malformed = Send a whole number of days.
field-id-malformed = Send the numbers of the selected rows.
field-id-too_long = Select at most { $max } at once.
field-action-unknown = Choose disable, enable, purge or delete.
field-limit-malformed = Send a whole number.
field-input-malformed = Send a JSON object.
field-username-required = { $context ->
        [login] Enter your username or e-mail.
       *[other] Enter a username.
    }
field-username-malformed = Use { $min } to { $max } letters, digits, hyphens or underscores, and no spaces.
field-username-taken = This username is taken.
field-username-confusable = This username looks like somebody else’s. Choose another one.
field-email-required = Enter your e-mail address.
field-email-malformed = Enter an e-mail address like name@example.com.
field-email-taken = This e-mail address already has an account.
field-password-required = Enter your password.
field-password-too_short = Use at least { $min } characters. Try a few unrelated words.
field-password-wrong = This is not your password.
field-password-guessable = That password is too easy to guess: { $reason ->
        [StraightRowsOfKeysAreEasyToGuess] it is a row of keys.
        [ShortKeyboardPatternsAreEasyToGuess] it is a pattern on the keyboard.
        [RepeatsLikeAaaAreEasyToGuess] it repeats a character.
        [RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess] it repeats itself.
        [ThisIsATop10Password] it is one of the ten most common ones.
        [ThisIsATop100Password] it is one of the hundred most common ones.
        [ThisIsACommonPassword] it is very common.
        [ThisIsSimilarToACommonlyUsedPassword] it is similar to a common one.
        [SequencesLikeAbcAreEasyToGuess] it is a simple sequence.
        [RecentYearsAreEasyToGuess] it contains a recent year.
        [AWordByItselfIsEasyToGuess] it is a single word.
        [DatesAreOftenEasyToGuess] it is a date.
        [NamesAndSurnamesByThemselvesAreEasyToGuess] it is a name.
        [CommonNamesAndSurnamesAreEasyToGuess] it is a common name.
       *[other] it follows a common pattern.
    } Try a few unrelated words.
field-current-required = Enter your current password.
field-current-wrong = This is not your password.
field-current-changed = Your password was changed in the meantime.
field-code-required = Enter the code.
field-code-wrong = This code is wrong or has been used already.
field-title-required = Add a title.
field-title-too_long = Use at most { $max } characters; this title has { $actual }.
field-content-required = Write something first.
field-title-taken = There is another series of this title.
field-series-too_long = Use at most { $max } characters; this title has { $actual }.
field-series-too_many = { $of ->
        [series] You have { $max } series already. Choose one of them.
       *[posts] This series has { $max } posts already. Begin another one.
    }
field-slug-too_long = Use at most { $max } characters; these are { $actual }.
field-slug-malformed = Use letters or digits.
field-published_at-out_of_range = Choose a time from 1970 on, and at most two years ahead.
field-content-unmerged = { $count ->
        [one] One place still needs
       *[other] { $count } places still need
    } a decision: keep what you want, and remove the lines that begin with <<<<<<<, ======= and >>>>>>>.
field-content-too_long = Use at most { $max } characters; this text has { $actual }.
field-content-too_complex = This text is too complex to show: its tables have too many cells, or its quotes and lists are nested too deeply. Use smaller tables or fewer levels.
field-tags-too_many = Use at most { $max } tags.
field-tags-malformed = Tags consist of letters, digits, hyphens, “+”, “.” and “#”, and have at most 40 characters each. Put commas between them.
field-tag-too_many = Filter by at most { $max } tags.
field-tag-malformed = There can be no tag of this name.
field-into-required = Enter the name of the other tag.
field-into-malformed = Tags consist of letters, digits, hyphens, “+”, “.” and “#”, and have at most 40 characters.
field-into-taken = That is the same tag.
field-description-too_long = Use at most { $max } characters; this description has { $actual }.
field-visibility-exclusive = These lists have no search: send no q and no author.
field-q-exclusive = A search goes with no other filter or order: write tag:, author:, before: and after: into it.
field-period-unknown = Use day, week, month, year or all.
field-since-malformed = Enter a date such as 2026-11-28, or a time such as 2026-11-28T17:00:00Z.
field-until-malformed = Enter a date such as 2026-11-28, or a time such as 2026-11-28T17:00:00Z.
field-updated_since-malformed = Enter a date such as 2026-11-28, or a time such as 2026-11-28T17:00:00Z.
field-min_votes-out_of_range = Enter a whole number of votes.
field-name-required = { $context ->
        [application] Give the application a name.
       *[token] Give the token a name.
    }
field-redirect_uris-required = Enter at least one redirect URI.
field-redirect_uris-malformed = Use addresses with https, with http at 127.0.0.1, [::1] or localhost, or with a scheme that contains a dot, such as com.example.app:/done; no fragments, and at most 500 characters.
field-redirect_uris-out_of_range = Use at most { $max } redirect URIs.
field-site_name-required = Give the site a name.
field-language-malformed = Enter a language tag such as en or pt-BR.
field-accent-malformed = Enter a colour such as #9c2b1b, or leave the field empty.
field-registration-unknown = Use open or closed.
field-scopes-required = Choose at least one permission.
field-file-required = Choose an image.
field-file-malformed = This is not a PNG, JPEG or WebP image.
field-file-too_long = The image has { $actual } bytes; at most { $max } are allowed.
field-file-out_of_range = The image may have at most { $max } pixels in width and in height.
field-scopes-unknown = Use posts:read, posts:write, account and admin.
field-scopes-admin_only = Only an admin can give a token the scope admin.
field-role-required = Send “role” or “disabled”.
field-role-unknown = The role must be user or admin.
field-sort-unknown = There is no such order.
field-parent_id-too_complex = This thread cannot go any deeper. Reply to a comment above.
field-include-unknown = Only content can be included.
field-before-malformed = This link or cursor is not valid. Start again from the first page.
field-after-malformed = This link or cursor is not valid. Start again from the first page.
field-after-exclusive = Send either before or after, not both.
field-refresh_token-required = Send a refresh token.

### Notices after an action.

flash-registered = Welcome! Your account is ready.
flash-logged-in = You are logged in.
flash-logged-in-kept = You are logged in. Nothing has been sent yet: please check the form and send it again.
flash-log-in-first = Please log in first. Nothing has changed yet.
flash-logged-out = You are logged out.
flash-code-required = One more step: enter your code.
flash-reauthenticated = Confirmed. We won’t ask again for 15 minutes.
flash-reauthenticated-repeat = Confirmed. Nothing has changed yet: please do it again now.
flash-post-created = Post published.
flash-post-saved = Changes saved.
flash-draft-saved = Draft saved. Only you can read it.
flash-post-scheduled = Scheduled. Until then, only you can read it.
flash-next-version-saved = Saved. Nobody else can read it until you save the post.
flash-next-version-same = There is nothing to keep: the post says this already.
flash-next-version-discarded = Discarded. The post is as it was.
flash-post-unpublished = No longer published: it is a draft now, which only you can read.
flash-share-link-created = Link created. Whoever has it can read the post.
flash-share-link-revoked = Link revoked. It shows nothing any more.
flash-post-restored = The earlier version is saved again.
flash-post-deleted = Post deleted.
flash-comment-created = Comment added.
flash-comment-saved = Changes saved.
flash-comment-restored = The earlier version is saved again.
flash-comment-deleted = Comment deleted.
flash-comments-closed = Nobody can add a comment now.
flash-comments-opened = Comments are open again.
flash-series-saved = Changes saved.
flash-series-deleted = Series deleted. Its posts are still there.
flash-tag-saved = Changes saved.
flash-tag-merged = The tags are merged. Their posts will follow shortly.
flash-vote-cast = Your vote was counted.
flash-vote-withdrawn = Your vote was withdrawn.
flash-role-changed = Role changed.
flash-user-disabled = The account is disabled and logged out everywhere.
flash-user-enabled = Account enabled.
flash-user-deleted = The account and its posts were deleted.
flash-posts-deleted = { $done ->
        [0] No post was deleted.
        [one] { $done } post deleted.
       *[other] { $done } posts deleted.
    }{ $gone ->
        [0] {""}
        [one] {" "}One was already gone.
       *[other] {" "}{ $gone } were already gone.
    }
flash-users-disabled = { $done ->
        [0] No account was disabled.
        [one] { $done } account is disabled and logged out everywhere.
       *[other] { $done } accounts are disabled and logged out everywhere.
    }{ skipped-people }
flash-users-enabled = { $done ->
        [0] No account was enabled.
        [one] { $done } account enabled.
       *[other] { $done } accounts enabled.
    }{ skipped-people }
flash-users-purged = { $done ->
        [0] No account was disabled.
        [one] { $done } account is disabled
       *[other] { $done } accounts are disabled
    }{ $done ->
        [0] {""}
       *[other] {" "}and logged out everywhere, and { $posts ->
            [one] { $posts } post was deleted.
           *[other] { $posts } posts were deleted.
        }
    }{ skipped-people }
flash-users-deleted = { $done ->
        [0] No account was deleted.
        [one] { $done } account was deleted with its posts.
       *[other] { $done } accounts were deleted with their posts.
    }{ skipped-people }
flash-nothing-selected = Select something in the list first.
flash-user-logged-out = This user was logged out everywhere.
flash-session-ended = Session ended.
flash-sessions-ended = You were logged out everywhere else.
flash-token-revoked = Token revoked.
flash-application-saved = Application saved.
flash-application-deleted = Application deleted. All access through it has ended.
flash-access-revoked = The application no longer has access to your account.
flash-password-changed = Password changed. You were logged out everywhere else.
flash-password-reset = Your new password is set. Log in with it.
flash-reset-requested = If this address has an account, we’ve sent it a link. The link works for 30 minutes.
flash-email-changed = E-mail address saved.
flash-email-verified = Your e-mail address is confirmed.
flash-link-sent = We’ve sent the link.
flash-settings-saved = Settings saved.
flash-test-mail-sent = A test e-mail is on its way. Reload this page to see whether the mail server took it.
flash-set-up = Your site is ready.
flash-logo-saved = The new logo is in place.
flash-logo-removed = The logo is gone.
flash-checkup-requested = The examination has begun. Reload this page to see its result.
flash-two-factor-off = Two-factor log-in is off.

### Part of the notices above: to whom of those selected nothing was done.

skipped-people = { $unchanged ->
        [0] {""}
        [one] {" "}One account needed no change.
       *[other] {" "}{ $unchanged } accounts needed no change.
    }{ $gone ->
        [0] {""}
        [one] {" "}One account was already gone.
       *[other] {" "}{ $gone } accounts were already gone.
    }{ $oneself ->
        [0] {""}
       *[other] {" "}Your own account was left as it is.
    }{ $last_admin ->
        [0] {""}
       *[other] {" "}The last admin was left as they are.
    }

### What an examination of the site found (postly doctor, /admin/checkup).

checked-configuration = Configuration
checked-files = Files
checked-disk = Disk
checked-database = Database
checked-schema = Schema
checked-counters = Numbers
checked-search = Search
checked-queue = Queue
checked-audit = Audit log
checked-clock = Clocks
checked-mail = E-mail
checked-address = Public address
checked-backup = Backups
checked-check = A check

check-configuration-ok = The configuration is sound.
check-configuration-unwise = The configuration works, but it is unwise:
check-files-ok = Only the owner of Postly’s files can read them.
check-files-open = Other users of this machine can read files of Postly (postly doctor --fix):
check-files-mended = Other users of this machine could read these files; now they cannot:
check-disk-ok = There is enough room on the disk.
check-disk-low = The disk is filling up.
check-disk-full = The disk is almost full: soon nothing more can be written.
check-disk-elsewhere = The disk is that of the PostgreSQL server, which Postly cannot see.
check-database-ok = The database is intact.
check-database-damaged = The database is damaged. Stop Postly and restore a backup.
check-schema-ok = The schema of the database is the one of this version.
check-schema-other = The schema of the database is not the one of this version:
check-counters-ok = The numbers of posts and votes are right.
check-counters-wrong = Numbers of posts or votes are wrong (postly doctor --fix):
check-counters-mended = Numbers of posts or votes were wrong, and are right now:
check-search-ok = The search finds all posts, comments and people.
check-search-incomplete = The search does not find everything (postly doctor --fix):
check-search-mended = The search did not find everything, and does now:
check-queue-ok = No job waits for too long, and none was given up in the last day.
check-queue-late = Jobs have been due for more than 15 minutes. Is a server running?
check-queue-failures = Jobs were given up in the last day:
check-audit-ok = No event of the audit log was changed or removed.
check-audit-broken = The audit log was changed:
check-clock-ok = The clocks of this machine and of the database agree.
check-clock-differs = The clocks of this machine and of the database differ. Set them by NTP.
check-clock-set-back = An event lies in the future: the clock was set back, or was wrong.
check-mail-ok = The mail server can be reached.
check-mail-missing = No mail server is configured: nobody can reset a forgotten password.
check-mail-unreachable = The mail server cannot be used:
check-address-ok = The site can be reached at its public address.
check-address-unreachable = The site cannot be reached at its public address from this machine:
check-backup-ok = There is a recent backup.
check-backup-old = The latest backup is more than a week old.
check-backup-missing = There has never been a backup (postly backup FILE).
check-backup-elsewhere = pg_dump makes the backups, and Postly cannot see whether it runs.
check-check-failed = A check could not be carried out:

### Titles of feeds and their entries.

feed-person = { $name } · { $site }
feed-tag = { $tag } · { $site }
feed-comments = Comments on { $title }
feed-comment = { $name } on { $title }

### Kinds of audit events.

event-registered = Account created
event-login = Logged in
event-login-failed = Log-in failed
event-login-throttled = Log-in blocked: too many attempts
event-code-locked = Two-factor codes locked: too many wrong ones
event-logout = Logged out
event-session-ended = Session ended
event-token-replayed = Copied token detected
event-token-created = Token created
event-token-revoked = Token revoked
event-application-created = Application registered
event-application-changed = Application changed
event-application-deleted = Application deleted
event-application-authorized = Application given access
event-application-revoked = Access of an application revoked
event-sudo = Password confirmed
event-sudo-failed = Wrong password entered
event-user-role = Role changed
event-user-disabled = Account disabled
event-user-enabled = Account enabled
event-user-unlocked = Account unlocked
event-user-deleted = Account deleted
event-two-factor-on = Two-factor log-in turned on
event-two-factor-off = Two-factor log-in turned off
event-recovery-code-used = Recovery code used
event-recovery-codes-made = Recovery codes created
event-password-set = Password set
event-password-changed = Password changed
event-password-reset = Password reset by e-mail
event-email-asked = E-mail change requested
event-email-verified = E-mail address confirmed
event-post-edited = Post edited by an admin
event-post-deleted = Post deleted by an admin
event-tag-changed = Tag changed by an admin
event-tag-merged = Tag merged by an admin
event-series-changed = Series renamed by an admin
event-series-deleted = Series deleted by an admin
event-comment-edited = Comment edited by an admin
event-comment-deleted = Comment deleted by an admin
event-comments-closed = Comments closed by an admin
event-comments-opened = Comments opened by an admin
event-settings-changed = Settings changed
event-checkup-requested = Examination of the site requested
event-mail-tested = Test e-mail sent
event-set-up = Site set up
event-denied = Access denied

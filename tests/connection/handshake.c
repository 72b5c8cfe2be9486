/* connection/handshake.h: two sides prove to each other that they have a key, and what is refused. */
#include "connection/handshake.h"

#include "connection/python_peer.h"

enum { MAC = 32, ANSWER = 8 + MAC };

/* A side, and what it last had to send. */
typedef struct party {
    struct handshake handshake;
    struct handshake_message out;
} party;

static struct handshake_key key_of(const char *text)
{
    return (struct handshake_key){text, strlen(text), false};
}

static party begin(enum handshake_role role, struct handshake_key key)
{
    party made;

    CHECK_OK(handshake_begin(&made.handshake, role, HANDSHAKE_BOTH, &key, &made.out));
    return made;
}

static mproc_status take(party *side, const void *message, size_t size)
{
    return handshake_take(&side->handshake, message, size, &side->out);
}

/* It takes what the other one last had to send. */
static mproc_status takes(party *side, const struct handshake_message *from)
{
    struct handshake_message copy = *from;

    return take(side, copy.bytes, copy.size);
}

static mproc_status takes_words(party *side, const python_message *message)
{
    return take(side, message->bytes, message->size);
}

static void check_out(const party *side, const char *words)
{
    CHECK_EQ(side->out.size, strlen(words));
    CHECK(memcmp(side->out.bytes, words, side->out.size) == 0);
}

/* Refused, for a reason in which these words are, and for good. */
static void check_refused(party *side, mproc_status status, const char *words)
{
    struct handshake_message out = side->out;

    CHECK_STATUS(status, MPROC_AUTHENTICATION);
    CHECK_CONTAINS(mproc_last_error_text(), words);
    CHECK_EQ(side->handshake.state, HANDSHAKE_REFUSED);
    CHECK_STATUS(take(side, "#WELCOME#", 9), MPROC_BAD_STATE);
    CHECK_EQ(side->handshake.state, HANDSHAKE_REFUSED);
    side->out = out;
}

/* Up to where the listener has the client's proof. */
static void prove_client(party *listener, party *client)
{
    CHECK_OK(takes(client, &listener->out));
    CHECK_OK(takes(listener, &client->out));
    check_out(listener, "#WELCOME#");
}

static void prove_both(party *listener, party *client)
{
    prove_client(listener, client);
    CHECK_OK(takes(client, &listener->out));
    CHECK_EQ(client->handshake.state, HANDSHAKE_AWAITS_ANSWER);
    CHECK_OK(takes(listener, &client->out));
    CHECK_OK(takes(client, &listener->out));
    CHECK_EQ(client->handshake.state, HANDSHAKE_DONE);
    check_out(client, "#WELCOME#");
    CHECK_EQ(listener->handshake.state, HANDSHAKE_AWAITS_WELCOME);
    CHECK_OK(takes(listener, &client->out));
    CHECK_EQ(listener->handshake.state, HANDSHAKE_DONE);
    CHECK_EQ(listener->out.size, 0);
}

static void case_sides_with_one_key_prove_it_to_each_other(void)
{
    party listener = begin(HANDSHAKE_LISTENER, key_of("a key"));
    party client = begin(HANDSHAKE_CLIENT, key_of("a key"));

    CHECK_EQ(listener.out.size, 11 + 8 + 40 + strlen("#listener#"));
    CHECK(memcmp(listener.out.bytes, "#CHALLENGE#{sha256}", 19) == 0);
    CHECK_EQ(client.out.size, 0);
    prove_both(&listener, &client);
}

static void case_challenges_are_never_the_same(void)
{
    party one = begin(HANDSHAKE_LISTENER, key_of("a key")), other = begin(HANDSHAKE_LISTENER, key_of("a key"));

    CHECK_EQ(one.out.size, other.out.size);
    CHECK(memcmp(one.out.bytes + 19, other.out.bytes + 19, 40) != 0);
}

static void case_empty_key_is_a_key(void)
{
    party listener = begin(HANDSHAKE_LISTENER, key_of("")), client = begin(HANDSHAKE_CLIENT, key_of(""));

    prove_both(&listener, &client);
    listener = begin(HANDSHAKE_LISTENER, key_of("a key"));
    client = begin(HANDSHAKE_CLIENT, key_of(""));
    CHECK_OK(takes(&client, &listener.out));
    check_refused(&listener, takes(&listener, &client.out), "another authkey");
}

/* As long as its half takes; nothing of the other half. */
static void case_one_half_may_be_all(void)
{
    struct handshake_key key = key_of("a key");
    party asks, answers;

    CHECK_OK(handshake_begin(&asks.handshake, HANDSHAKE_CLIENT, HANDSHAKE_ASK, &key, &asks.out));
    CHECK_OK(handshake_begin(&answers.handshake, HANDSHAKE_LISTENER, HANDSHAKE_ANSWER, &key, &answers.out));
    CHECK_EQ(answers.out.size, 0);
    CHECK_OK(takes(&answers, &asks.out));
    CHECK_OK(takes(&asks, &answers.out));
    CHECK_EQ(asks.handshake.state, HANDSHAKE_DONE);
    CHECK_OK(takes(&answers, &asks.out));
    CHECK_EQ(answers.handshake.state, HANDSHAKE_DONE);
}

/* ---- who has not the key ------------------------------------------------------------------------ */

static void case_client_with_another_key_is_refused(void)
{
    party listener = begin(HANDSHAKE_LISTENER, key_of("a key"));
    party client = begin(HANDSHAKE_CLIENT, key_of("a kez"));

    CHECK_OK(takes(&client, &listener.out));
    check_refused(&listener, takes(&listener, &client.out), "another authkey");
    check_out(&listener, "#FAILURE#");
    check_refused(&client, take(&client, "#FAILURE#", 9), "refused our proof");
}

/* One that says welcome to anything has proved nothing. */
static void case_listener_with_another_key_is_refused(void)
{
    party client = begin(HANDSHAKE_CLIENT, key_of("a key"));
    python_peer listener = {.key = "a kez"};
    python_message message = python_challenge(&listener), asked = {{0}, 0};

    CHECK_OK(takes_words(&client, &message));
    CHECK_OK(take(&client, "#WELCOME#", 9));
    python_append(&asked, client.out.bytes, client.out.size);
    CHECK(python_answer(&listener, asked.bytes, asked.size, &message));
    check_refused(&client, takes_words(&client, &message), "another authkey");
    check_out(&client, "#FAILURE#");
}

static void case_answer_of_an_earlier_handshake_is_refused(void)
{
    party listener = begin(HANDSHAKE_LISTENER, key_of("a key")), client = begin(HANDSHAKE_CLIENT, key_of("a key"));
    struct handshake_message answer;

    CHECK_OK(takes(&client, &listener.out));
    answer = client.out;
    CHECK_OK(takes(&listener, &answer));
    listener = begin(HANDSHAKE_LISTENER, key_of("a key"));
    check_refused(&listener, takes(&listener, &answer), "another authkey");
}

/* Its answer would be the proof that the other side has not. */
static void case_own_challenge_that_comes_back_is_not_answered(void)
{
    party listener = begin(HANDSHAKE_LISTENER, key_of("a key")), client = begin(HANDSHAKE_CLIENT, key_of("a key"));
    struct handshake_message asked = listener.out;

    prove_client(&listener, &client);
    check_refused(&listener, takes(&listener, &asked), "back to a listener");
    CHECK_EQ(listener.out.size, 0);
}

/* Who has not the key lets a second client, or a second listener, answer for the first. */
static void case_challenge_of_the_same_kind_of_side_is_not_answered(void)
{
    python_peer thief = {.key = "unknown"};
    party first = begin(HANDSHAKE_CLIENT, key_of("a key")), second = begin(HANDSHAKE_CLIENT, key_of("a key"));
    party listener = begin(HANDSHAKE_LISTENER, key_of("a key")), other = begin(HANDSHAKE_LISTENER, key_of("a key"));
    party client = begin(HANDSHAKE_CLIENT, key_of("a key"));
    python_message message = python_challenge(&thief);

    CHECK_OK(takes_words(&first, &message));
    CHECK_OK(take(&first, "#WELCOME#", 9));
    check_refused(&second, takes(&second, &first.out), "back to a client");
    prove_client(&other, &client);
    check_refused(&other, takes(&other, &listener.out), "back to a listener");
}

/* ---- what is no answer -------------------------------------------------------------------------- */

static void case_answer_that_was_cut_is_refused(void)
{
    for (size_t size = 0; size <= ANSWER + 1; size++) {
        party listener = begin(HANDSHAKE_LISTENER, key_of("a key")),
              client = begin(HANDSHAKE_CLIENT, key_of("a key"));
        CHECK_OK(takes(&client, &listener.out));
        if (size == ANSWER) continue;
        client.out.size = size;
        check_refused(&listener, takes(&listener, &client.out), "proof");
        check_out(&listener, "#FAILURE#");
    }
}

static void case_answer_with_any_other_byte_is_refused(void)
{
    for (size_t i = 0; i < ANSWER; i++) {
        party listener = begin(HANDSHAKE_LISTENER, key_of("a key")),
              client = begin(HANDSHAKE_CLIENT, key_of("a key"));
        CHECK_OK(takes(&client, &listener.out));
        CHECK_EQ(client.out.size, ANSWER);
        client.out.bytes[i] ^= (unsigned char)(1 << i % 8);
        CHECK_STATUS(takes(&listener, &client.out), MPROC_AUTHENTICATION);
    }
}

static void case_longer_messages_than_there_are_are_refused(void)
{
    static const unsigned char bytes[HANDSHAKE_MESSAGE_MAX + 1] = "#CHALLENGE#{sha256}";
    party client = begin(HANDSHAKE_CLIENT, key_of("a key")), listener = begin(HANDSHAKE_LISTENER, key_of("a key"));

    CHECK_OK(take(&client, bytes, HANDSHAKE_MESSAGE_MAX));
    CHECK_EQ(client.out.size, ANSWER);
    client = begin(HANDSHAKE_CLIENT, key_of("a key"));
    check_refused(&client, take(&client, bytes, sizeof bytes), "257 bytes");
    check_refused(&listener, take(&listener, bytes, sizeof bytes), "257 bytes");
}

static void case_only_a_welcome_is_one(void)
{
    static const char *const words[] = {"", "#WELCOME", "#WELCOME#!", "#welcome#", "#FAILURE#", "#CHALLENGE#"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        party listener = begin(HANDSHAKE_LISTENER, key_of("a key")),
              client = begin(HANDSHAKE_CLIENT, key_of("a key"));
        CHECK_OK(takes(&client, &listener.out));
        check_refused(&client, take(&client, words[i], strlen(words[i])), "our proof");
        CHECK_EQ(client.out.size, 0);
    }
}

static void case_what_is_no_challenge_is_refused(void)
{
    static const char *const words[] = {"", "#CHALLENGE", "#WELCOME#", "hello", "{sha256}0123456789012345678901234"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        party client = begin(HANDSHAKE_CLIENT, key_of("a key"));
        check_refused(&client, take(&client, words[i], strlen(words[i])), "no authkey");
        CHECK_EQ(client.out.size, 0);
    }
    for (size_t size = 0; size < 20; size++) {
        party client = begin(HANDSHAKE_CLIENT, key_of("a key"));
        python_message message = python_words("#CHALLENGE#");
        python_append(&message, "{sha256}901234567890", size);
        check_refused(&client, takes_words(&client, &message), "less than the 20");
    }
}

/* ---- digests ------------------------------------------------------------------------------------ */

static python_message challenge_by(const char *name)
{
    python_message message = python_words("#CHALLENGE#");

    python_append(&message, name, strlen(name));
    python_append(&message, "0123456789012345678901234567890123456789", 40);
    return message;
}

static void case_sha384_is_answered_where_it_is_asked_for(void)
{
    party client = begin(HANDSHAKE_CLIENT, key_of("a key"));
    python_peer listener = {.key = "a key", .digest = "sha384"};
    python_message asked = python_challenge(&listener);

    CHECK_OK(takes_words(&client, &asked));
    CHECK_EQ(client.out.size, 8 + 48);
    CHECK(python_is_right(&listener, &asked, client.out.bytes, client.out.size));
}

static void case_digest_that_is_not_known_is_named(void)
{
    static const char *const names[] = {"{sha3_256}", "{crc32}", "{}", "{SHA256}", "{sha256", "sha256}"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        party client = begin(HANDSHAKE_CLIENT, key_of("a key"));
        python_message asked = challenge_by(names[i]);
        check_refused(&client, takes_words(&client, &asked), names[i]);
        CHECK_EQ(client.out.size, 0);
    }
}

/* What comes from who knows whom goes into no log as it is. */
static void case_digest_that_cannot_be_printed_is_not(void)
{
    party client = begin(HANDSHAKE_CLIENT, key_of("a key"));
    python_message asked = challenge_by("{\x1b[2J\n\xff}");

    check_refused(&client, takes_words(&client, &asked), "'{'");
}

static void case_weaker_digest_than_was_asked_for_is_refused(void)
{
    static const struct {
        const char *name;
        enum plat_digest digest;
        const char *why;
    } weaker[] = {
        {"", PLAT_MD5, "allow_md5"}, {"{md5}", PLAT_MD5, "by {md5}"}, {"{sha384}", PLAT_SHA384, "{sha384}"}};

    for (size_t i = 0; i < 2 * sizeof weaker / sizeof weaker[0]; i++) {
        struct handshake_key key = {"a key", 5, i % 2};
        party listener = begin(HANDSHAKE_LISTENER, key);
        python_message answer = python_words(weaker[i / 2].name);
        python_append_mac(&answer, weaker[i / 2].digest, "a key", listener.out.bytes + 11, listener.out.size - 11);
        if (i == 1) CHECK_OK(takes_words(&listener, &answer));
        else check_refused(&listener, takes_words(&listener, &answer), weaker[i / 2].why);
    }
}

static void case_md5_is_answered_only_where_that_is_allowed(void)
{
    python_peer old = {.key = "a key", .old = true};
    python_message asked[2];

    asked[0] = python_challenge(&old);
    asked[1] = challenge_by("{md5}");
    for (int i = 0; i < 2; i++) {
        struct handshake_key key = key_of("a key");
        party client = begin(HANDSHAKE_CLIENT, key);
        check_refused(&client, takes_words(&client, &asked[i]), "allow_md5");
        CHECK_EQ(client.out.size, 0);
        key.allow_md5 = true;
        client = begin(HANDSHAKE_CLIENT, key);
        CHECK_OK(takes_words(&client, &asked[i]));
        CHECK_EQ(client.out.size, i == 0 ? 16 : 5 + 16);
        old.old = i == 0;
        CHECK(python_is_right(&old, &asked[i], client.out.bytes, client.out.size));
    }
}

static void case_wrong_md5_is_refused_where_md5_is_allowed(void)
{
    struct handshake_key key = {"a key", 5, true};
    party listener = begin(HANDSHAKE_LISTENER, key);
    python_peer old = {.key = "a kez", .old = true};
    python_message answer;

    CHECK(python_answer(&old, listener.out.bytes, listener.out.size, &answer));
    check_refused(&listener, takes_words(&listener, &answer), "another authkey");
    check_out(&listener, "#FAILURE#");
}

CHECK_SUITE(connection_handshake,
    CASE(sides_with_one_key_prove_it_to_each_other),
    CASE(challenges_are_never_the_same),
    CASE(empty_key_is_a_key),
    CASE(one_half_may_be_all),
    CASE(client_with_another_key_is_refused),
    CASE(listener_with_another_key_is_refused),
    CASE(answer_of_an_earlier_handshake_is_refused),
    CASE(own_challenge_that_comes_back_is_not_answered),
    CASE(challenge_of_the_same_kind_of_side_is_not_answered),
    CASE(answer_that_was_cut_is_refused),
    CASE(answer_with_any_other_byte_is_refused),
    CASE(longer_messages_than_there_are_are_refused),
    CASE(only_a_welcome_is_one),
    CASE(what_is_no_challenge_is_refused),
    CASE(sha384_is_answered_where_it_is_asked_for),
    CASE(digest_that_is_not_known_is_named),
    CASE(digest_that_cannot_be_printed_is_not),
    CASE(weaker_digest_than_was_asked_for_is_refused),
    CASE(md5_is_answered_only_where_that_is_allowed),
    CASE(wrong_md5_is_refused_where_md5_is_allowed),
);

/* errands_test.c — jobs of accounts: their rows and pieces on disk, and who goes on with them when.
 *
 * What a step does is the test's own doer: a piece of one letter each, so many steps.
 */
#include "engine_house.h"
#include "fake_membership.h"

#include "engine/errands.h"
#include "engine/sweep.h"
#include "store/errands.h"

enum { STEPS = 5, DONE_MOST = 100 };
static const int64_t day_ms = 24 * (int64_t)HOUR_MS;

static struct {
    int64_t of[DONE_MOST]; /* the account of each step, in order */
    int count;
    bool rehearses, fails;
} did;

static void letter_read(struct db *db, struct errand_step *step)
{
    struct errand_made *made = &step->made;
    (void)db;
    if (did.count < DONE_MOST)
        did.of[did.count] = step->errand.account;
    did.count++;
    if (did.rehearses && made->place == 0) {
        step->way = ERRAND_REHEARSES;
        step->data = must_alloc(1);
        return;
    }
    buf_char(&made->out, (char)('a' + made->place));
    made->records = ++made->place;
    if (made->place < STEPS)
        return;
    made->state = ERRAND_COMPLETED;
    made->percent = 100;
    snprintf(made->message, sizeof(made->message), "all letters");
}

static bool letter_write(struct job *job, struct db *db, struct errand_step *step)
{
    (void)job;
    if (did.fails)
        return false;
    db_run(db, db_prepare(db, "INSERT INTO meta (key, value) VALUES ('rehearsed', 'x')"));
    step->made.place = STEPS - 1;
    return true;
}

static void letter_clear(struct errand_step *step)
{
    free(step->data);
    step->data = NULL;
}

static const struct errand_doer letters = { letter_read, letter_write, letter_clear };
static const struct errand_doers doers = {
    { [ERRAND_EXPORT_POSTBACKS] = &letters, [ERRAND_IMPORT_INQUIRIES] = &letters }
};

/* ---- what is asked of the store ---- */

struct asking {
    const struct caller *caller;
    bool receives;
    int64_t id;
    struct errand seen;
    struct errand_made made;
    const char *bytes;
    json_t *shown;
};

static bool do_add(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    json_t *none = json_object();
    const struct errand_asked asked = { .kind = asking->receives ? ERRAND_IMPORT_INQUIRIES
                                                                 : ERRAND_EXPORT_POSTBACKS,
                                        .caller = asking->caller,
                                        .address = "192.0.2.1",
                                        .format = "CSV",
                                        .parameters = none };
    asking->id = errand_add(job, db, &asked, asking->receives);
    json_decref(none);
    return asking->id != 0;
}

static int64_t add(struct engine_house *engine, const struct caller *caller)
{
    struct asking asking = { .caller = caller };
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    return asking.id;
}

static bool do_cancel(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    return errand_cancel(job, db, asking->caller->account, asking->id);
}

static bool do_show(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    (void)job;
    asking->shown = errand_show(db, asking->caller->account, asking->id);
    return true;
}

/* The member of the job as its account sees it; "-": it sees none. */
static const char *member(struct engine_house *engine, const struct caller *caller, int64_t id,
                          const char *name)
{
    static char text[300];
    struct asking asking = { .caller = caller, .id = id };
    assert_true(house_do(engine->house, do_show, &asking, NULL));
    snprintf(text, sizeof(text), "%s",
             asking.shown != NULL ? json_string_value(json_object_get(asking.shown, name)) : "-");
    json_decref(asking.shown);
    return text;
}

static bool do_next(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    (void)job;
    return errand_next(db, asking->caller->account, &asking->seen);
}

static bool do_start(struct job *job, struct db *db, void *with)
{
    (void)job;
    errand_start(db, &((struct asking *)with)->seen);
    return true;
}

static bool do_put(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    return errand_put(job, db, &asking->seen, &asking->made);
}

/* RUNNING, and seen so. */
static void begin(struct engine_house *engine, struct asking *asking)
{
    assert_true(house_do(engine->house, do_next, asking, NULL));
    assert_int_equal(asking->seen.state, ERRAND_QUEUED);
    assert_true(house_do(engine->house, do_start, asking, NULL));
    errand_clear(&asking->seen);
    assert_true(house_do(engine->house, do_next, asking, NULL));
    assert_int_equal(asking->seen.state, ERRAND_RUNNING);
    errand_made_begin(&asking->made, &asking->seen);
}

static void end(struct asking *asking)
{
    errand_clear(&asking->seen);
    errand_made_free(&asking->made);
}

static int64_t number(struct engine_house *engine, const char *sql)
{
    return house_number(engine->house, sql, 0);
}

static void test_a_step_is_written_over_what_it_saw_alone(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner };
    struct error error;
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    begin(engine, &asking);
    asking.made.place = 1;
    buf_str(&asking.made.out, "one");
    assert_true(house_do(engine->house, do_put, &asking, NULL));
    assert_false(house_do(engine->house, do_put, &asking, &error)); /* the same step once more */
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk"), 1);
    assert_int_equal(number(engine, "SELECT place FROM errand"), 1);
    errand_clear(&asking.seen);
    assert_true(house_do(engine->house, do_next, &asking, NULL));
    errand_made_begin(&asking.made, &asking.seen);
    assert_true(house_do(engine->house, do_cancel, &asking, NULL));
    assert_false(house_do(engine->house, do_put, &asking, &error)); /* it came too late */
    assert_string_equal(member(engine, asking.caller, asking.id, "Status"), "CANCELLED");
    assert_false(house_do(engine->house, do_cancel, &asking, &error));
    assert_string_equal(error.message, "Job 1 has ended already: CANCELLED");
    end(&asking);
}

static void test_an_account_sees_and_ends_its_own_alone(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner };
    struct error error;
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    asking.caller = &engine->house->other_partner;
    assert_string_equal(member(engine, asking.caller, asking.id, "Status"), "-");
    assert_false(house_do(engine->house, do_cancel, &asking, &error));
    assert_int_equal(error.kind, ERROR_BROKEN); /* without a reason: it is not there */
    assert_string_equal(member(engine, &engine->house->partner, asking.id, "Status"), "QUEUED");
}

static void test_twenty_may_not_have_ended(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner };
    struct error error;
    for (int i = 0; i < ERRANDS_OPEN_MOST; i++)
        add(engine, asking.caller);
    assert_false(house_do(engine->house, do_add, &asking, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    add(engine, &engine->house->brand);
    asking.id = 1;
    assert_true(house_do(engine->house, do_cancel, &asking, NULL));
    add(engine, asking.caller);
}

static bool do_fill_quota(struct job *job, struct db *db, void *with)
{
    (void)job;
    (void)with;
    struct stmt *put = db_prepare(db, "UPDATE errand SET result_bytes = ? WHERE id = 1");
    db_bind_int(put, 1, ((int64_t)ERRAND_QUOTA_MIB << 20) - 2);
    db_run(db, put);
    return true;
}

static void test_a_full_quota_ends_a_job(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner, .id = 1 };
    add(engine, asking.caller);
    assert_true(house_do(engine->house, do_cancel, &asking, NULL));
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    begin(engine, &asking);
    assert_true(house_do(engine->house, do_fill_quota, NULL, NULL));
    buf_str(&asking.made.out, "one");
    assert_true(house_do(engine->house, do_put, &asking, NULL));
    assert_string_equal(member(engine, asking.caller, asking.id, "Status"), "ERROR");
    assert_non_null(strstr(member(engine, asking.caller, asking.id, "StatusMessage"), "1024 MiB"));
    assert_string_equal(member(engine, asking.caller, asking.id, "ResultUri"), "");
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk"), 0);
    end(&asking);
}

static bool do_receive(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    return errand_receive(job, db, asking->caller->account, asking->id, asking->bytes,
                          strlen(asking->bytes), 7, 8);
}

static bool do_received(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    return errand_received(job, db, asking->caller->account, asking->id, 2);
}

static bool do_read_input(struct job *job, struct db *db, void *with)
{
    struct asking *asking = with;
    struct errand_input input;
    (void)job;
    assert_true(errand_input_read(db, asking->id, 1, &input));
    assert_string_equal(buf_text(&input.body), "second");
    assert_int_equal(input.rows_before, 7);
    assert_int_equal(input.lines_before, 8);
    buf_free(&input.body);
    assert_false(errand_input_read(db, asking->id, 2, &input));
    return true;
}

static void test_a_file_comes_in_pieces(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner, .receives = true };
    struct error error;
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    assert_string_equal(member(engine, asking.caller, asking.id, "Status"), "-");
    asking.bytes = "first";
    assert_true(house_do(engine->house, do_receive, &asking, NULL));
    asking.bytes = "second";
    assert_true(house_do(engine->house, do_receive, &asking, NULL));
    assert_false(house_do(engine->house, do_next, &asking, NULL));
    assert_true(house_do(engine->house, do_received, &asking, NULL));
    assert_string_equal(member(engine, asking.caller, asking.id, "RecordsTotal"), "2");
    assert_int_equal(number(engine, "SELECT input_bytes FROM errand"), 11);
    assert_false(house_do(engine->house, do_receive, &asking, &error));
    assert_int_equal(error.kind, ERROR_CONFLICT);
    assert_true(house_do(engine->house, do_read_input, &asking, NULL));
    begin(engine, &asking);
    asking.made.input_done = 0;
    assert_true(house_do(engine->house, do_put, &asking, NULL));
    assert_int_equal(number(engine, "SELECT min(number) FROM errand_chunk"), 1);
    assert_int_equal(number(engine, "SELECT input_bytes FROM errand"), 6);
    end(&asking);
}

static void test_a_full_quota_takes_no_more_of_a_file(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner, .receives = true };
    struct error error;
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    assert_true(house_do(engine->house, do_fill_quota, NULL, NULL));
    asking.bytes = "abc";
    assert_false(house_do(engine->house, do_receive, &asking, &error));
    assert_int_equal(error.kind, ERROR_QUOTA);
    asking.bytes = "ab";
    assert_true(house_do(engine->house, do_receive, &asking, NULL));
}

/* ---- who goes on with them ---- */

static struct errands *run(struct engine_house *engine)
{
    struct errands *errands = errands_new(&engine->work, &doers);
    memset(&did, 0, sizeof(did));
    settle(engine);
    return errands;
}

static void pass_steps(struct engine_house *engine, int steps)
{
    for (int i = 0; i < steps; i++)
        pass_ms(engine, 2);
}

static void test_accounts_take_turns(void **state)
{
    struct engine_house *engine = *state;
    const struct caller *one = &engine->house->partner, *other = &engine->house->brand;
    int64_t first = add(engine, one), second = add(engine, one), others = add(engine, other);
    struct errands *errands = run(engine);
    pass_steps(engine, STEPS);
    assert_string_equal(member(engine, one, first, "Status"), "COMPLETED");
    assert_string_equal(member(engine, other, others, "Status"), "COMPLETED");
    assert_string_equal(member(engine, one, second, "Status"), "QUEUED"); /* one at a time */
    for (int i = 0; i < 2 * STEPS; i += 2)
        assert_int_not_equal(did.of[i], did.of[i + 1]);
    pass_steps(engine, STEPS + 3);
    assert_string_equal(member(engine, one, second, "Status"), "COMPLETED");
    assert_string_equal(member(engine, one, second, "StatusMessage"), "all letters");
    assert_int_equal(did.count, 3 * STEPS);
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk WHERE errand = 1"), STEPS);
    errands_free(errands);
}

static void test_a_restart_goes_on_where_it_was(void **state)
{
    struct engine_house *engine = *state;
    int64_t id = add(engine, &engine->house->partner);
    struct errands *errands = run(engine);
    pass_steps(engine, 3);
    int before = did.count;
    assert_in_range(before, 1, STEPS - 1);
    errands_free(errands);
    engine->time.wall_ms -= 3 * day_ms; /* the clock was set back meanwhile */
    errands = run(engine);
    pass_steps(engine, STEPS + 2);
    assert_int_equal(did.count, STEPS - before);
    assert_string_equal(member(engine, &engine->house->partner, id, "Status"), "COMPLETED");
    assert_string_equal(member(engine, &engine->house->partner, id, "ResultBytes"), "5");
    errands_free(errands);
}

static void test_a_rehearsal_leaves_nothing_but_its_place(void **state)
{
    struct engine_house *engine = *state;
    int64_t id = add(engine, &engine->house->partner);
    struct errands *errands = run(engine);
    did.rehearses = true;
    pass_steps(engine, 4);
    assert_string_equal(member(engine, &engine->house->partner, id, "Status"), "COMPLETED");
    assert_string_equal(member(engine, &engine->house->partner, id, "ResultBytes"), "1");
    assert_int_equal(number(engine, "SELECT count(*) FROM meta WHERE key = 'rehearsed'"), 0);
    errands_free(errands);
}

static void test_a_cancelled_one_takes_no_further_step(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner };
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    struct errands *errands = run(engine);
    pass_steps(engine, 2);
    int before = did.count;
    assert_true(house_do(engine->house, do_cancel, &asking, NULL));
    pass_steps(engine, 5);
    assert_int_equal(did.count, before);
    assert_string_equal(member(engine, asking.caller, asking.id, "Status"), "CANCELLED");
    errands_free(errands);
}

static bool do_deactivate(struct job *job, struct db *db, void *with)
{
    (void)job;
    account_set_active(db, ((struct caller *)with)->account, false);
    return true;
}

static void test_jobs_of_an_account_that_is_made_inactive_are_cancelled(void **state)
{
    struct engine_house *engine = *state;
    int64_t first = add(engine, &engine->house->partner),
            second = add(engine, &engine->house->partner);
    struct errands *errands = run(engine);
    pass_steps(engine, 2);
    assert_true(house_do(engine->house, do_deactivate, &engine->house->partner, NULL));
    pass_steps(engine, 4);
    assert_string_equal(member(engine, &engine->house->partner, first, "Status"), "CANCELLED");
    assert_string_equal(member(engine, &engine->house->partner, second, "Status"), "CANCELLED");
    assert_string_equal(member(engine, &engine->house->partner, first, "StatusMessage"),
                        "The account is not active");
    errands_free(errands);
}

static void test_what_is_begun_while_it_looks_is_not_left_behind(void **state)
{
    struct engine_house *engine = *state;
    const struct caller *partner = &engine->house->partner;
    struct errands *errands = run(engine);
    errands_begun(errands, partner->account);
    errands_begun(errands, partner->account); /* the look that is under way may be too early */
    settle(engine);
    int64_t id = add(engine, partner);
    pass_steps(engine, STEPS + 2);
    assert_string_equal(member(engine, partner, id, "Status"), "COMPLETED");
    errands_free(errands);
}

static void test_what_cannot_be_rehearsed_has_failed_after_five_times(void **state)
{
    struct engine_house *engine = *state;
    const struct caller *partner = &engine->house->partner;
    int64_t id = add(engine, partner);
    struct errands *errands = run(engine);
    did.rehearses = did.fails = true;
    pass_in_steps(engine, 4 * SECOND_MS, SECOND_MS);
    assert_string_equal(member(engine, partner, id, "Status"), "RUNNING");
    pass_in_steps(engine, 3 * SECOND_MS, SECOND_MS);
    assert_string_equal(member(engine, partner, id, "Status"), "FAILED");
    assert_int_equal(did.count, 5);
    errands_free(errands);
}

static void test_failures_are_not_of_the_next_one(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner };
    int64_t next;
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    next = add(engine, asking.caller);
    struct errands *errands = run(engine);
    did.rehearses = did.fails = true;
    pass_in_steps(engine, 5 * SECOND_MS, SECOND_MS);
    assert_int_equal(did.count, 5);
    assert_true(house_do(engine->house, do_cancel, &asking, NULL));
    assert_true(house_do(engine->house, do_deactivate, &engine->house->partner, NULL));
    pass_in_steps(engine, 2 * SECOND_MS, SECOND_MS);
    assert_string_equal(member(engine, asking.caller, next, "Status"), "CANCELLED");
    errands_free(errands);
}

static void test_nothing_is_begun_while_the_store_takes_no_writes(void **state)
{
    struct engine_house *engine = *state;
    add(engine, &engine->house->partner);
    engine->work.writable = false;
    struct errands *errands = run(engine);
    pass_in_steps(engine, 5 * SECOND_MS, SECOND_MS);
    assert_int_equal(did.count, 0);
    engine->work.writable = true;
    pass_in_steps(engine, SECOND_MS, SECOND_MS);
    pass_steps(engine, STEPS);
    assert_int_equal(did.count, STEPS);
    errands_free(errands);
}

static void test_of_servers_the_one_on_duty_goes_on_with_what_any_has_written(void **state)
{
    struct engine_house *engine = *state;
    const struct caller *partner = &engine->house->partner;
    struct membership membership = { .valid = true, .duty = true };
    engine->work.membership = &membership;
    struct errands *errands = run(engine);
    int64_t id = add(engine, partner); /* by another's call: nobody tells */
    pass_steps(engine, STEPS);
    assert_int_equal(did.count, 0);
    pass_in_steps(engine, 4 * SECOND_MS, SECOND_MS);
    assert_in_range(did.count, 1, STEPS - 1);
    int before = did.count;
    membership.duty = false;
    pass_in_steps(engine, 5 * SECOND_MS, SECOND_MS);
    assert_int_equal(did.count, before);
    membership.duty = true;
    pass_in_steps(engine, 2 * SECOND_MS, SECOND_MS);
    pass_steps(engine, STEPS);
    assert_string_equal(member(engine, partner, id, "Status"), "COMPLETED");
    assert_int_equal(did.count, STEPS);
    engine->work.membership = NULL;
    errands_free(errands);
}

static void test_results_go_after_seven_days_and_rows_after_thirty(void **state)
{
    struct engine_house *engine = *state;
    const struct caller *partner = &engine->house->partner;
    int64_t id = add(engine, partner);
    struct errands *errands = run(engine);
    struct sweep *sweep = errands_sweep_new(&engine->work);
    pass_steps(engine, STEPS + 2);
    pass_in_steps(engine, 7 * day_ms - HOUR_MS, HOUR_MS);
    assert_string_not_equal(member(engine, partner, id, "ResultUri"), "");
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk"), STEPS);
    engine->time.wall_ms -= 2 * day_ms; /* set back: they stay for longer, and not for ever */
    pass_in_steps(engine, 2 * (int64_t)HOUR_MS, MINUTE_MS);
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk"), STEPS);
    pass_in_steps(engine, 3 * day_ms, HOUR_MS);
    pass_in_steps(engine, 10 * (int64_t)MINUTE_MS, MINUTE_MS);
    assert_string_equal(member(engine, partner, id, "ResultUri"), "");
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk"), 0);
    assert_int_equal(number(engine, "SELECT result_bytes FROM errand"), 0);
    assert_string_equal(member(engine, partner, id, "Status"), "COMPLETED");
    pass_in_steps(engine, 24 * day_ms, 12 * (int64_t)HOUR_MS);
    pass_in_steps(engine, 10 * (int64_t)MINUTE_MS, MINUTE_MS);
    assert_string_equal(member(engine, partner, id, "Status"), "-");
    sweep_free(sweep);
    errands_free(errands);
}

static void test_a_file_that_never_comes_whole_is_dropped(void **state)
{
    struct engine_house *engine = *state;
    struct asking asking = { .caller = &engine->house->partner, .receives = true, .bytes = "x" };
    assert_true(house_do(engine->house, do_add, &asking, NULL));
    assert_true(house_do(engine->house, do_receive, &asking, NULL));
    struct sweep *sweep = errands_sweep_new(&engine->work);
    pass_in_steps(engine, 30 * (int64_t)MINUTE_MS, MINUTE_MS);
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk"), 1);
    pass_in_steps(engine, 40 * (int64_t)MINUTE_MS, MINUTE_MS);
    assert_int_equal(number(engine, "SELECT count(*) FROM errand_chunk"), 0);
    assert_string_equal(member(engine, asking.caller, asking.id, "Status"), "CANCELLED");
    sweep_free(sweep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_ENGINE(test_a_step_is_written_over_what_it_saw_alone),
        IN_ENGINE(test_an_account_sees_and_ends_its_own_alone),
        IN_ENGINE(test_twenty_may_not_have_ended),
        IN_ENGINE(test_a_full_quota_ends_a_job),
        IN_ENGINE(test_a_file_comes_in_pieces),
        IN_ENGINE(test_a_full_quota_takes_no_more_of_a_file),
        IN_ENGINE(test_accounts_take_turns),
        IN_ENGINE(test_a_restart_goes_on_where_it_was),
        IN_ENGINE(test_a_rehearsal_leaves_nothing_but_its_place),
        IN_ENGINE(test_a_cancelled_one_takes_no_further_step),
        IN_ENGINE(test_jobs_of_an_account_that_is_made_inactive_are_cancelled),
        IN_ENGINE(test_what_is_begun_while_it_looks_is_not_left_behind),
        IN_ENGINE(test_what_cannot_be_rehearsed_has_failed_after_five_times),
        IN_ENGINE(test_failures_are_not_of_the_next_one),
        IN_ENGINE(test_nothing_is_begun_while_the_store_takes_no_writes),
        IN_ENGINE(test_of_servers_the_one_on_duty_goes_on_with_what_any_has_written),
        IN_ENGINE(test_results_go_after_seven_days_and_rows_after_thirty),
        IN_ENGINE(test_a_file_that_never_comes_whole_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

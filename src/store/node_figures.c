/* node_figures.c — a row for each server, with a JSON object of what it is not zero of. */
#include "store/node_figures.h"

#include <jansson.h>
#include <stdlib.h>

static const char *const names[FIGURES] = {
    [FIGURE_IN_MEMORY] = "InMemory",
    [FIGURE_RECORDING] = "Recording",
    [FIGURE_DELIVERED] = "Delivered",
    [FIGURE_FAILED] = "Failed",
    [FIGURE_DELIVERED_TENTHS] = "DeliveredTenths",
    [FIGURE_FAILED_TENTHS] = "FailedTenths",
    [FIGURE_CONNECTIONS_IN] = "In",
    [FIGURE_CONNECTIONS_OUT] = "Out",
    [FIGURE_REQUESTS] = "Requests",
    [FIGURE_LANES_READY] = "Ready",
    [FIGURE_LANES_HELD] = "Held",
    [FIGURE_LANES_DOWN] = "Down",
    [FIGURE_DESTINATIONS_DOWN] = "DestinationsDown",
    [FIGURE_OLDEST_DUE_S] = "OldestDueSeconds",
};

void node_figures_add(struct node_figures *to, const struct node_figures *more)
{
    for (int i = 0; i < FIGURES; i++) {
        if (i != FIGURE_OLDEST_DUE_S)
            to->of[i] += more->of[i];
        else if (more->of[i] > to->of[i])
            to->of[i] = more->of[i];
    }
}

void node_figures_write(struct db *db, const struct node_figures *figures)
{
    json_t *object = json_object();
    for (int i = 0; i < FIGURES; i++) {
        if (figures->of[i] != 0)
            json_object_set_new(object, names[i], json_integer(figures->of[i]));
    }
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    struct stmt *put = db_prepare(db, "INSERT INTO node_figure (node, at, figures) VALUES (?1, ?2, "
                                      "?3) ON CONFLICT (node) DO UPDATE SET at = excluded.at, "
                                      "figures = excluded.figures");
    db_bind_int(put, 1, db_node(db));
    db_bind_int(put, 2, db_now(db));
    db_bind_text(put, 3, text != NULL ? text : "{}");
    db_run(db, put);
    free(text);
}

static void read_row(struct stmt *row, struct node_figures *out)
{
    json_t *object = json_loads(db_text(row, 0), 0, NULL);
    for (int i = 0; i < FIGURES; i++)
        out->of[i] = json_integer_value(json_object_get(object, names[i]));
    json_decref(object);
}

/* A server that has left has given its number back; what is old is of one that is dead. */
void node_figures_add_others(struct db *db, struct node_figures *figures)
{
    struct stmt *list =
        db_prepare(db, "SELECT f.figures FROM node_figure f JOIN node n ON n.number "
                       "= f.node WHERE f.node <> ?1 AND f.at >= ?2 AND n.until_at > "
                       "0");
    db_bind_int(list, 1, db_node(db));
    db_bind_int(list, 2, db_now(db) - NODE_FIGURES_GOOD_MS);
    while (db_step(list) == DB_ROW) {
        struct node_figures one;
        read_row(list, &one);
        node_figures_add(figures, &one);
    }
    db_finish(list);
}

#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a hierarchy of groups can be seen: the group `root` (and what is below it) at the directory `point`. */
typedef struct cgroup_mount {
    char root[PATH_MAX];
    char point[PATH_MAX]; /* "": it is not mounted */
} cgroup_mount;

static const char *const cgroup_names[] = {[CGROUP_MEMORY] = "memory", [CGROUP_CPU] = "cpu"};

/*
 * Of version 1 each controller can have its own hierarchy; the last is that of version 2. Set once, NULL without
 * memory; not static, for most processes never ask, and their other variables would lie on more pages.
 */
#define CGROUP_UNIFIED 2
static cgroup_mount *cgroup_mounts;
static pthread_once_t cgroup_mounts_once = PTHREAD_ONCE_INIT;

static void cgroup_find_mounts(void);
static void cgroup_parse_mount(char *line);
static void cgroup_set_mount(int hierarchy, const char *root, const char *point);
static bool cgroup_copy_path(char to[PATH_MAX], const char *from);
static bool cgroup_list_has(const char *list, const char *name);
static void cgroup_walk(const cgroup_mount *mount, const char *group, int version, cgroup_visitor *visit,
                        void *context);

/*
 * A line of /proc/self/cgroup is "number:controllers:group"; version 2 names no controllers. Processes are moved
 * between groups, but hierarchies stay where they are mounted.
 */
void cgroup_visit(cgroup_controller controller, cgroup_visitor *visit, void *context)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char *line = NULL;
    size_t capacity = 0;

    pthread_once(&cgroup_mounts_once, cgroup_find_mounts);
    while (file && cgroup_mounts && getline(&line, &capacity, file) > 0) {
        char *controllers = strchr(line, ':');
        char *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group) continue;
        controllers++;
        *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        bool unified = controllers[0] == '\0';
        if (!unified && !cgroup_list_has(controllers, cgroup_names[controller])) continue;
        const cgroup_mount *mount = &cgroup_mounts[unified ? CGROUP_UNIFIED : controller];
        if (mount->point[0] != '\0') cgroup_walk(mount, group, unified ? 2 : 1, visit, context);
    }
    free(line);
    if (file) fclose(file);
}

/* By the directory, not by a path made of both: that would be too long for the stacks of small threads. */
bool cgroup_read(const char *directory, const char *file, char *text, size_t size)
{
    int folder = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int descriptor = folder >= 0 ? openat(folder, file, O_RDONLY | O_CLOEXEC) : -1;
    size_t length = 0;
    ssize_t count = 1;

    if (folder >= 0) close(folder);
    if (descriptor < 0) return false;
    while (count != 0 && length < size - 1) {
        count = read(descriptor, text + length, size - 1 - length);
        if (count > 0) length += (size_t)count;
        if (count < 0 && errno != EINTR) break;
    }
    close(descriptor);
    text[length] = '\0';
    return count >= 0 && length > 0;
}

bool cgroup_read_number(const char *directory, const char *file, int64_t *number)
{
    char text[32];
    char *end = text;

    if (!cgroup_read(directory, file, text, sizeof text)) return false;
    long long value = strtoll(text, &end, 10);
    if (end == text || value < 0) return false;
    *number = value;
    return true;
}

static void cgroup_find_mounts(void)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t capacity = 0;

    cgroup_mounts = calloc(CGROUP_UNIFIED + 1, sizeof *cgroup_mounts);
    while (file && cgroup_mounts && getline(&line, &capacity, file) > 0) cgroup_parse_mount(line);
    free(line);
    if (file) fclose(file);
}

/* "31 23 0:28 ROOT POINT rw,relatime shared:9 - cgroup cgroup rw,memory": optional fields end at the dash. */
static void cgroup_parse_mount(char *line)
{
    char *fields[5] = {NULL};
    char *rest = strstr(line, " - cgroup");
    char *state = NULL;

    if (!rest) return;
    *rest = '\0';
    char *type = strtok_r(rest + strlen(" - "), " \n", &state);
    char *source = strtok_r(NULL, " \n", &state);
    char *options = strtok_r(NULL, " \n", &state);
    fields[0] = strtok_r(line, " ", &state);
    for (int i = 1; i < 5 && fields[i - 1]; i++) fields[i] = strtok_r(NULL, " ", &state);
    if (!type || !source || !options || !fields[4]) return;
    if (strcmp(type, "cgroup2") == 0) cgroup_set_mount(CGROUP_UNIFIED, fields[3], fields[4]);
    if (strcmp(type, "cgroup") != 0) return;
    for (int i = 0; i < CGROUP_UNIFIED; i++) {
        if (cgroup_list_has(options, cgroup_names[i])) cgroup_set_mount(i, fields[3], fields[4]);
    }
}

/* A hierarchy may be mounted at several places; the first is as good as any. */
static void cgroup_set_mount(int hierarchy, const char *root, const char *point)
{
    cgroup_mount *mount = &cgroup_mounts[hierarchy];

    if (mount->point[0] != '\0') return;
    if (!cgroup_copy_path(mount->root, root) || !cgroup_copy_path(mount->point, point)) mount->point[0] = '\0';
}

static bool cgroup_list_has(const char *list, const char *name)
{
    size_t length = strlen(name);

    for (const char *item = list; *item != '\0'; item += strspn(item, ",")) {
        size_t end = strcspn(item, ",\n");
        if (end == length && memcmp(item, name, length) == 0) return true;
        item += end;
        if (*item == '\n') break;
    }
    return false;
}

/* mountinfo writes blanks, tabs, line ends and backslashes as a backslash with three octal digits. */
static bool cgroup_copy_path(char to[PATH_MAX], const char *from)
{
    if (strlen(from) >= PATH_MAX) return false;
    for (; *from != '\0'; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] != '\0' && from[3] != '\0') {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return true;
}

/*
 * In a container without a namespace of its own for groups, /proc names the group from the host's root, while only
 * the container's part is mounted, and that part is the mount's root. With another root than ours, the
 * directory that we do see is the nearest one that limits us.
 */
static void cgroup_walk(const cgroup_mount *mount, const char *group, int version, cgroup_visitor *visit,
                        void *context)
{
    size_t root_length = strcmp(mount->root, "/") != 0 ? strlen(mount->root) : 0;
    size_t point_length = strlen(mount->point);

    if (strncmp(group, mount->root, root_length) == 0 && strchr("/", group[root_length])) {
        group += root_length;
    } else {
        group = "";
    }
    if (strcmp(group, "/") == 0 || strncmp(group, "/..", 3) == 0) group = "";
    size_t size = point_length + strlen(group) + 1;
    char *directory = malloc(size); /* too long for the stacks of small threads */
    if (directory) snprintf(directory, size, "%s%s", mount->point, group);
    for (char *slash = directory; slash;) {
        visit(context, version, directory);
        slash = strrchr(directory, '/');
        if (slash && slash < directory + point_length) slash = NULL;
        if (slash) *slash = '\0';
    }
    free(directory);
}

#include "cgroup.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a hierarchy of groups can be seen: the group `root` (and what is below it) at the directory `point`. */
typedef struct cgroup_mount {
    char root[PATH_MAX];
    char point[PATH_MAX];
} cgroup_mount;

static bool cgroup_find_mount(const char *controller, int version, cgroup_mount *mount);
static bool cgroup_parse_mount(char *line, const char *controller, int version, cgroup_mount *mount);
static bool cgroup_list_has(const char *list, const char *name);
static bool cgroup_copy_path(char to[PATH_MAX], const char *from);
static void cgroup_walk(const cgroup_mount *mount, const char *group, int version, cgroup_visitor *visit,
                        void *context);

/* A line of /proc/self/cgroup is "number:controllers:group"; version 2 names no controllers. */
void cgroup_visit(const char *controller, cgroup_visitor *visit, void *context)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    cgroup_mount *mount = malloc(sizeof *mount);
    char *line = NULL;
    size_t capacity = 0;

    while (file != NULL && mount != NULL && getline(&line, &capacity, file) > 0) {
        char *controllers = strchr(line, ':');
        char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (group == NULL) continue;
        controllers++;
        *group++ = '\0';
        group[strcspn(group, "\n")] = '\0';
        int version = controllers[0] == '\0' ? 2 : 1;
        if (version == 1 && !cgroup_list_has(controllers, controller)) continue;
        if (cgroup_find_mount(controller, version, mount)) cgroup_walk(mount, group, version, visit, context);
    }
    free(line);
    free(mount);
    if (file != NULL) fclose(file);
}

bool cgroup_read(const char *directory, const char *file, char *text, size_t size)
{
    char path[PATH_MAX];
    size_t length = 0;
    ssize_t count = 1;

    if (snprintf(path, sizeof path, "%s/%s", directory, file) >= (int)sizeof path) return false;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
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

static bool cgroup_find_mount(const char *controller, int version, cgroup_mount *mount)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t capacity = 0;
    bool found = false;

    while (file != NULL && !found && getline(&line, &capacity, file) > 0) {
        found = cgroup_parse_mount(line, controller, version, mount);
    }
    free(line);
    if (file != NULL) fclose(file);
    return found;
}

/* "31 23 0:28 ROOT POINT rw,relatime shared:9 - cgroup cgroup rw,memory": optional fields end at the dash. */
static bool cgroup_parse_mount(char *line, const char *controller, int version, cgroup_mount *mount)
{
    char *fields[5] = {NULL};
    char *rest = strstr(line, " - ");
    char *state = NULL;

    if (rest == NULL) return false;
    *rest = '\0';
    char *type = strtok_r(rest + 3, " \n", &state);
    char *source = strtok_r(NULL, " \n", &state);
    char *options = strtok_r(NULL, " \n", &state);
    if (type == NULL || source == NULL || options == NULL) return false;
    if (strcmp(type, version == 2 ? "cgroup2" : "cgroup") != 0) return false;
    if (version == 1 && !cgroup_list_has(options, controller)) return false;
    fields[0] = strtok_r(line, " ", &state);
    for (int i = 1; i < 5; i++) fields[i] = strtok_r(NULL, " ", &state);
    return fields[4] != NULL && cgroup_copy_path(mount->root, fields[3]) && cgroup_copy_path(mount->point, fields[4]);
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
    char directory[PATH_MAX];
    size_t root_length = strcmp(mount->root, "/") != 0 ? strlen(mount->root) : 0;
    size_t point_length = strlen(mount->point);

    if (strncmp(group, mount->root, root_length) == 0 && strchr("/", group[root_length]) != NULL) {
        group += root_length;
    } else {
        group = "";
    }
    if (strcmp(group, "/") == 0 || strncmp(group, "/..", 3) == 0) group = "";
    if (snprintf(directory, sizeof directory, "%s%s", mount->point, group) >= (int)sizeof directory) return;
    for (;;) {
        visit(context, version, directory);
        char *slash = strrchr(directory, '/');
        if (slash == NULL || slash < directory + point_length) return;
        *slash = '\0';
    }
}

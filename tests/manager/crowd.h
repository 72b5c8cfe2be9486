/* Many clients of a manager. */
#ifndef CROWD_H
#define CROWD_H

/*
 * So many clients of one manager, of several processes, each of which makes calls; one process is killed. The manager
 * allows no more, and nothing is left afterwards.
 */
void crowd_uses_a_manager(int count);

#endif

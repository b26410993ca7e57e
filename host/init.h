/* init: the command that writes the built-in scripts out, to be edited. */
#ifndef INIT_H
#define INIT_H

/* Returns the exit code; speaks on stdout and stderr. Nothing is overwritten. */
int init_run(char *const *args);

#endif

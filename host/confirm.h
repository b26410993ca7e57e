/* confirm: a question to the person at the terminal. */
#ifndef CONFIRM_H
#define CONFIRM_H

enum confirm { CONFIRM_NOBODY /* there is no terminal */, CONFIRM_NO, CONFIRM_YES };

enum confirm confirm(const char *question);

#endif

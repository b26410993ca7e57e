/* http_answer: what an answer's headers and libcurl's failures mean in http's own terms. */
#ifndef HTTP_ANSWER_H
#define HTTP_ANSWER_H

#include <curl/curl.h>

#include "http.h"

/* words: libcurl's sentence for the failure, which tells apart what its codes do not. */
enum http_error http_answer_error(CURLcode code, const char *words);
/* Notes one header line, or a status line, in the result. */
void http_answer_header(struct http_result *result, const char *line, size_t len);

#endif

/*
 * Loaded before Debian's user-mode Linux and its slirp.
 *
 * ptrace: on a CPU with AMX the kernel wants the whole extended register state back, and user-mode Linux keeps the part it
 * knows, so that its first return to user space fails. A set that is too short is completed: the state as the kernel has it
 * now, the given part over it, and the two tile components (bits 17 and 18 of XSTATE_BV) marked as not in use.
 *
 * connect: slirp leaves Nagle's algorithm on, which costs 40 ms for each small request.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { XSTATE = 0x202, XSTATE_BV = 512, MOST = 1 << 16 };

static long completed(long (*next)(enum __ptrace_request, ...), int pid, struct iovec *given) {
  static _Thread_local unsigned char state[MOST] __attribute__((aligned(64)));
  struct iovec whole = {state, sizeof state};
  uint64_t used;
  if (next(PTRACE_GETREGSET, pid, (void *)XSTATE, &whole) != 0) return -1;
  if (given->iov_len >= whole.iov_len) return next(PTRACE_SETREGSET, pid, (void *)XSTATE, given);
  memset(state + given->iov_len, 0, whole.iov_len - given->iov_len);
  memcpy(state, given->iov_base, given->iov_len);
  memcpy(&used, state + XSTATE_BV, sizeof used);
  used &= ~((uint64_t)3 << 17);
  memcpy(state + XSTATE_BV, &used, sizeof used);
  return next(PTRACE_SETREGSET, pid, (void *)XSTATE, &whole);
}

long ptrace(enum __ptrace_request request, ...) {
  long (*next)(enum __ptrace_request, ...) = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");
  va_list rest;
  va_start(rest, request);
  int pid = va_arg(rest, int);
  void *address = va_arg(rest, void *);
  void *data = va_arg(rest, void *);
  va_end(rest);
  if (request == PTRACE_SETREGSET && (long)address == XSTATE) return completed(next, pid, data);
  return next(request, pid, address, data);
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
  int (*next)(int, const struct sockaddr *, socklen_t) =
      (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
  int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return next(socket, address, length);
}

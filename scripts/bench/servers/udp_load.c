/* Keeps WINDOW heartbeats under way to 127.0.0.1:PORT for SECONDS and prints how many were answered.
 * udp_load PORT SECONDS WINDOW GATEWAYS OWN_PORT: gateway n has the MAC 64D954 and n in six hex digits. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int port = atoi(argv[1]), window = atoi(argv[3]), gateways = atoi(argv[4]);
  double seconds = atof(argv[2]);
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[5]))};
  inet_pton(AF_INET, "127.0.0.1", &from.sin_addr);
  if (bind(s, (struct sockaddr *)&from, sizeof from) || connect(s, (struct sockaddr *)&to, sizeof to)) return 1;
  /* A lost datagram must not stop the window for good. */
  struct timeval patience = {.tv_usec = 50000};
  setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  char out[128], in[4096];
  unsigned next = 0;
  long answered = 0, lost = 0;
  double start = now(), end = start + seconds;
  for (int i = 0; i < window; i++) {
    int n = sprintf(out, "{\"RPCMethod\":\"Hb\",\"MAC\":\"64D954%06X\",\"FLAG\":\"0\"}", next++ % gateways);
    send(s, out, n, 0);
  }
  while (now() < end) {
    if (recv(s, in, sizeof in, 0) > 0) answered++;
    else lost++;
    int n = sprintf(out, "{\"RPCMethod\":\"Hb\",\"MAC\":\"64D954%06X\",\"FLAG\":\"0\"}", next++ % gateways);
    send(s, out, n, 0);
  }
  printf("%ld %ld %.3f\n", answered, lost, now() - start);
  return 0;
}

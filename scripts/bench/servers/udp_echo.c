/* Sends every datagram on 127.0.0.1 back. Prints its port. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

int main(void) {
  int s = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in at = {.sin_family = AF_INET}, from;
  inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
  socklen_t size = sizeof at;
  if (bind(s, (struct sockaddr *)&at, size)) return 1;
  getsockname(s, (struct sockaddr *)&at, &size);
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  char buffer[4096];
  for (;;) {
    size = sizeof from;
    long n = recvfrom(s, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &size);
    if (n >= 0) sendto(s, buffer, n, 0, (struct sockaddr *)&from, size);
  }
}

/* SPDX-License-Identifier: MIT */
/* bench-threads N: a process of so many threads, that sleeps. Says how many there are. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *sleeper(void *argument)
{
	for (;;)
		pause();
	return argument;
}

int main(int argc, char *argv[])
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0, made = 0;
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	while (made < n && pthread_create(&thread, &attributes, sleeper, NULL) == 0)
		made++;
	printf("%ld\n", made);
	fflush(stdout);
	for (;;)
		pause();
}

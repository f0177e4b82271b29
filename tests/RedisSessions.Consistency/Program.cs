Console.Error.WriteLine("The checker has no commands yet.");
return 2;
